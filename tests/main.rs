//! What only several tools together can show.
