//! The page in a real browser: headless Chromium, driven over WebDriver.
//!
//! - [`chromium`]: a browser that the tests drive, or none, said aloud
//! - [`driver`]: how it is driven: WebDriver
//! - [`hand`], [`eye`]: what is done on its page, and what is seen there
//! - [`turn`]: how many of them there may be at once
//! - [`designer`]: a `trace-design` that runs, and the page it serves
//! - [`drawing`]: strokes, points, keys, fingers, undo
//! - [`naming`]: names that would break a page that trusts them
//! - [`extent`]: durations and rates, never rescaled without a question
//! - [`keeping`]: files, reloads, second tabs: nothing is lost
//! - [`promise`]: what the page counts is what trace-synth makes
//! - [`sending`]: to a server, and what is seen of it
//! - [`looks`]: three sizes, light and dark
//! - [`names`]: pictures of trace-plot, whose letters are the browser's
//! - [`zooming`]: a part of the time, looked at and drawn on closely
//! - [`geometry`]: the page's modules by themselves
//!
//! Without Chromium and its driver the tests say so and pass, unless
//! `TRACE_BROWSER=required` is set. `TRACE_SHOTS=DIR` keeps the pictures that
//! [`looks`] takes.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(clippy::print_stderr, reason = "what is skipped is said aloud")]

mod chromium;
mod designer;
mod drawing;
mod driver;
mod extent;
mod eye;
mod geometry;
mod hand;
mod keeping;
mod looks;
mod names;
mod naming;
mod promise;
mod sending;
mod turn;
mod zooming;
