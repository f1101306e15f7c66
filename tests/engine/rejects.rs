//! What becomes of rejects.

mod backtest;
mod equals;
mod forget;
mod guards;
mod overtaken;
mod replay;
mod row_drops;
mod states;
mod support;
