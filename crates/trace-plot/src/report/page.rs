//! The page itself.

use std::fmt::Write as _;

use trace_stats::Report;

use super::{made::Made, tables};
use crate::{ThemeName, markup::escaped, number};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// All that stands on the page.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) title: String,
    pub(super) theme: ThemeName,
    pub(super) report: Report,
    pub(super) plots: Vec<Plot>,
    /// Kinds that the input does not support, and why.
    pub(super) left_out: Vec<String>,
    pub(super) made: Made,
}

/// A picture, and what to say under a pointer.
#[derive(Debug)]
pub(super) struct Plot {
    pub(super) name: &'static str,
    pub(super) svg: String,
    pub(super) hover: String,
}

impl Page {
    /// The page as one document.
    pub(super) fn html(&self) -> String {
        let theme = match self.theme {
            ThemeName::Light => "light",
            ThemeName::Dark => "dark",
        };
        let title = escaped(&self.title);
        let mut html = format!(
            "<!doctype html>\n<html lang=en class={theme}>\n<meta charset=utf-8>\n\
             <meta name=viewport content=\"width=device-width\">\n<title>{title}</title>\n\
             <style>\n{STYLE}</style>\n<header><h1>{title}</h1><p>{}</p></header>\n",
            escaped(&self.headline())
        );
        self.push_contents(&mut html);
        html.push_str("<main>\n<section id=summary><h2>Summary</h2>\n");
        self.push_tiles(&mut html);
        self.push_notes(&mut html);
        html.push_str(&tables::comparison(&self.report));
        html.push_str("</section>\n<section id=plots><h2>Plots</h2>\n");
        for plot in &self.plots {
            push_plot(&mut html, plot);
        }
        if !self.left_out.is_empty() {
            let left_out = escaped(&self.left_out.join("; "));
            push(
                &mut html,
                format_args!("<p class=faint>Not drawn: {left_out}</p>\n"),
            );
        }
        html.push_str("</section>\n<section id=numbers><h2>Numbers</h2>\n");
        push_numbers(&mut html, &self.report);
        for group in &self.report.groups {
            let title = escaped(&group.title());
            push(
                &mut html,
                format_args!("<details><summary>{title}</summary>\n"),
            );
            push_numbers(&mut html, group);
            html.push_str("</details>\n");
        }
        html.push_str(
            "</section>\n<section id=made><h2>How it was made</h2>\n<table class=facts><tbody>",
        );
        for (name, text) in &self.made.rows {
            let (name, text) = (escaped(name), escaped(text));
            push(
                &mut html,
                format_args!("<tr><th>{name}<td><code>{text}</code>"),
            );
        }
        html.push_str("</table></section>\n</main>\n<output id=hover hidden></output>\n<script>\n");
        html.push_str(SCRIPT);
        html.push_str("</script>\n");
        html
    }

    /// What was read, and how it went.
    fn headline(&self) -> String {
        let report = &self.report;
        let mut line = number::counted(report.requests, "request");
        if let Some(ms) = report.duration_ms {
            line.push_str(&format!(" over {}", number::duration(ms * 1e3)));
        }
        let count = |name| report.number(name).map(|count| number::exact(count as u64));
        if let Some((succeeded, failed)) = count("succeeded").zip(count("failed")) {
            line.push_str(&format!(", {succeeded} succeeded, {failed} failed"));
        }
        line
    }

    fn push_contents(&self, html: &mut String) {
        html.push_str("<nav><a href=\"#summary\">Summary</a>");
        for plot in &self.plots {
            push(
                html,
                format_args!(" <a href=\"#plot-{0}\">{0}</a>", plot.name),
            );
        }
        html.push_str(
            " <a href=\"#numbers\">Numbers</a> <a href=\"#made\">How it was made</a></nav>\n",
        );
    }

    /// The few numbers that everybody asks for. Runs beside one another have
    /// them in their table: no server saw the sum of their rates.
    fn push_tiles(&self, html: &mut String) {
        let report = &self.report;
        let is_run = |group: &Report| group.by.iter().any(|(field, _)| field == "source");
        if report.groups.len() > 1 && report.groups.iter().all(is_run) {
            return;
        }
        let rate = |name: &str| {
            let value = report.number(name)?;
            Some(format!("{} /s", number::significant(value)))
        };
        let time = |name: &str, figure: &str| {
            let ms = report.figure(name, figure)?;
            Some(match ms.is_finite() {
                true => number::duration(ms * 1e3),
                false => "inf".to_owned(),
            })
        };
        let length = |name: &str| {
            let tokens = report.figure(name, "mean")?;
            Some(number::significant(tokens))
        };
        let tiles = [
            ("arrivals", rate("rate_rps")),
            ("answered", rate("throughput_rps")),
            ("goodput", rate("goodput_rps")),
            ("tokens of answers", rate("output_tps")),
            ("TTFT p50", time("ttft_ms", "p50")),
            ("TTFT p99", time("ttft_ms", "p99")),
            ("TPOT p50", time("tpot_ms", "p50")),
            ("latency p99", time("latency_ms", "p99")),
            ("ISL mean", length("input_length")),
            ("OSL mean", length("output_length")),
        ];
        html.push_str("<dl class=tiles>");
        for (name, value) in tiles {
            if let Some(value) = value {
                push(html, format_args!("<div><dt>{name}<dd>{value}</div>"));
            }
        }
        html.push_str("</dl>\n");
    }

    fn push_notes(&self, html: &mut String) {
        if self.report.notes.is_empty() {
            return;
        }
        html.push_str("<ul>");
        for note in &self.report.notes {
            push(html, format_args!("<li>{}", escaped(note)));
        }
        html.push_str("</ul>\n");
    }
}

fn push_plot(html: &mut String, plot: &Plot) {
    push(
        html,
        format_args!(
            "<figure id=\"plot-{}\">{}<script type=\"application/json\">{}</script></figure>\n",
            plot.name, plot.svg, plot.hover
        ),
    );
}

fn push_numbers(html: &mut String, report: &Report) {
    html.push_str(&tables::metrics(report));
    html.push_str(&tables::scalars(report));
    html.push('\n');
}

fn push(text: &mut String, more: std::fmt::Arguments<'_>) {
    text.write_fmt(more).expect("writing to a string");
}
