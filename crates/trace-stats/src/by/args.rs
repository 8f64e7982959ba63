//! What was typed about groups.

/// Which groups to report on.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Groups")]
pub struct Args {
    /// Also report on the lines of each value of FIELD apart, and compare them
    ///
    /// Any field of the line, known or not, or a member of one, as error.kind;
    /// several, separated by commas, for each combination of their values.
    /// Also, unless the lines have a field of that name: turn, the number of the
    /// line within its session, from 1; length-bucket, prompt lengths between
    /// powers of two (or --buckets), and FIELD-bucket, the same of any number.
    #[arg(
        long,
        value_name = "FIELD",
        value_delimiter = ',',
        verbatim_doc_comment
    )]
    pub by: Vec<String>,

    /// The lower bounds of buckets, instead of powers of two
    #[arg(long, value_name = "N,N…", value_delimiter = ',', requires = "by")]
    pub buckets: Vec<f64>,

    /// Stop if there are more groups than that, rather than fill the memory
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub max_groups: usize,
}
