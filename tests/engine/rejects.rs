//! What becomes of rejects.

mod backtest;
mod equals;
mod guards;
mod replay;
mod support;
