//! How the report is printed.

use crate::harness::{TRACE, stats};

#[test]
fn markdown_and_csv_hold_every_figure() {
    let (_, markdown, _) = stats(&["--format", "markdown"], TRACE);
    assert!(
        markdown.contains("| input_length | 5 | 0 | 20 | 9.099 | 5 | 14 | 25 |"),
        "{markdown}"
    );
    let (_, csv, notes) = stats(&["--format", "csv", "--block-size", "10"], TRACE);
    let mut lines = csv.lines();
    let header = "metric,value,count,censored,mean,std,min,p25,p50,p75,p90,p95,p99,max";
    assert_eq!(lines.next(), Some(header));
    let columns = header.split(',').count();
    assert!(
        lines.all(|line| line.split(',').count() == columns),
        "{csv}"
    );
    assert!(csv.contains("\nblock_hit_rate,0.5,,"), "{csv}");
    assert!(csv.contains("\ncontext_length,,5,0,15.2,"), "{csv}");
    assert!(
        notes.contains("1 of 5 requests have no hash_ids"),
        "{notes}"
    );
}
