//! What the doctor says of places that are well, and of each way in which they are not.

mod instance;
mod objects;
mod sftp;
mod snowflake;
mod support;
mod web;
