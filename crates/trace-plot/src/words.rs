//! The words around a plot: title, facts, legend, notes.

use anyhow::Result;

use crate::{
    canvas::Anchor,
    draw::{Drawing, LEADING, MARGIN, TEXT},
    figure::{Entry, Mark},
    font,
    shapes::star,
};

const TITLE: f64 = 20.0;
/// The title of a figure that is not alone.
const SUBTITLE: f64 = 16.0;
const NOTE: f64 = 12.0;

impl Drawing<'_, '_> {
    /// Title, facts and legend; gives where the plot may begin.
    pub(crate) fn head(&self) -> Result<f64> {
        let room = self.size.0 - 2.0 * MARGIN;
        let size = if self.look.panel { SUBTITLE } else { TITLE };
        let mut y = MARGIN + size * 0.8;
        let title = font::shorten(&self.canvas.written(&self.figure.title), size, room);
        self.text(&title, (MARGIN, y), Anchor::Start, size, true)?;
        y += 6.0;
        for line in font::wrap(&self.canvas.written(&self.figure.facts), TEXT, room) {
            y += TEXT * LEADING;
            self.text(&line, (MARGIN, y), Anchor::Start, TEXT, false)?;
        }
        if !self.figure.legend.is_empty() {
            y = self.legend(y + 6.0, room)?;
        }
        // the name of the vertical axis has a line of its own above the plot
        Ok(y + 14.0 + TEXT * LEADING + 9.0)
    }

    /// The legend in rows, below `y`; gives its last baseline.
    fn legend(&self, y: f64, room: f64) -> Result<f64> {
        const SAMPLE: f64 = 22.0;
        const GAP: f64 = 22.0;
        let mut at = (MARGIN, y + TEXT * LEADING);
        for entry in &self.figure.legend {
            let label = self.canvas.written(&entry.label);
            let label = font::shorten(&label, TEXT, (room - SAMPLE - 8.0).min(330.0));
            let width = SAMPLE + 8.0 + font::width(&label, TEXT);
            if at.0 > MARGIN && at.0 + width > MARGIN + room {
                at = (MARGIN, at.1 + TEXT * LEADING);
            }
            self.sample(entry, at, SAMPLE)?;
            self.text(
                &label,
                (at.0 + SAMPLE + 8.0, at.1),
                Anchor::Start,
                TEXT,
                true,
            )?;
            at.0 += width + GAP;
        }
        Ok(at.1)
    }

    fn sample(&self, entry: &Entry, (x, baseline): (f64, f64), width: f64) -> Result<()> {
        let color = self.look.theme.color(entry.ink);
        let y = baseline - TEXT * 0.36;
        let ends = [(x, y), (x + width, y)];
        match entry.mark {
            Mark::Line => self.canvas.line(&ends, color, 3.0),
            Mark::Dashed => self.canvas.dashes(&ends, color, 2.0),
            Mark::Block | Mark::Pale => {
                let opacity = if entry.mark == Mark::Pale { 0.45 } else { 1.0 };
                let corners = [(x + 4.0, y - 6.0), (x + 18.0, y + 6.0)];
                self.canvas.rectangle(corners, color, opacity)
            }
            Mark::Dot => self.canvas.dots(&[(x + width / 2.0, y)], color, 8.0, 1.0),
            Mark::Star => {
                let corners = star((x + width / 2.0, y), 9.0);
                self.canvas.polygon(&corners, color, 1.0)
            }
        }
    }

    /// The notes, from the lower edge upwards; gives the y above them.
    pub(crate) fn notes(&self) -> Result<f64> {
        let room = self.size.0 - 2.0 * MARGIN;
        let notes = self.figure.notes.iter();
        let lines: Vec<String> = notes
            .flat_map(|note| font::wrap(&self.canvas.written(note), NOTE, room))
            .collect();
        let height = NOTE * LEADING;
        let top = self.size.1 - MARGIN * 0.7 - lines.len() as f64 * height;
        for (index, line) in lines.iter().enumerate() {
            let baseline = top + index as f64 * height + NOTE;
            self.text(line, (MARGIN, baseline), Anchor::Start, NOTE, false)?;
        }
        Ok(if lines.is_empty() { top } else { top - 10.0 })
    }
}
