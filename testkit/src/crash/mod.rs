//! Programs that are killed or whose disk fails: the worker and its files, what is done to it, and what it promised.

pub mod oracle;
pub mod place;
pub mod scene;
