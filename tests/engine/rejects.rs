//! What becomes of rejects.

mod backtest;
mod equals;
mod forget;
mod guards;
mod replay;
mod states;
mod support;
