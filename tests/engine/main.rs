//! The engine as a library, end to end.

mod support;

mod main_job;
