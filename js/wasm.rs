//! The exports of the engine to JavaScript.
