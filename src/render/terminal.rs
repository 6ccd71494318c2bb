//! The report for a terminal: the verdict first, then a table, then the proof.

mod cases;
mod closing;
mod drawing;
mod link;
mod opening;

use anstyle::{AnsiColor, Style};
use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle, presets};

use super::balance::common_folder;
use super::words::clean;
use crate::diagnosis::Diagnosis;

/// How to draw.
#[derive(Clone, Debug)]
pub struct Look {
    /// Columns.
    pub width: usize,
    /// With colours.
    pub color: bool,
    /// With characters beyond ASCII in drawings.
    pub unicode: bool,
    /// Places link to their file (OSC 8): the folder that relative names start from; `None` for no links.
    pub links: Option<String>,
    /// How many single incidents are listed below the table of causes; `None` for none but the clearest case of each cause.
    pub top: Option<usize>,
}

/// One line below the heads, none between rows: a report has many rows.
const LINES: TableStyle = presets::NOTHING.header_separator(LineStyle::none().fill('─').junction('─'));

/// Narrower than this nothing is aligned any more.
const NARROWEST: usize = 40;
/// Lines longer than this are hard to read, however wide the terminal is.
const WIDEST: usize = 160;

/// Draws the report.
#[must_use]
pub fn report(diagnosis: &Diagnosis, look: Look) -> String {
    let look = Look { width: look.width.clamp(NARROWEST, WIDEST), ..look };
    let folder = common_folder(diagnosis);
    let mut page = Page { out: String::new(), look, folder };
    page.verdict(diagnosis);
    page.window(diagnosis);
    page.causes(diagnosis);
    page.cases(diagnosis);
    page.listing(diagnosis);
    page.lifetimes(diagnosis);
    page.plan(diagnosis);
    page.balance(diagnosis);
    page.out
}

struct Page {
    out: String,
    look: Look,
    /// The folder that all sources are in, which is left out of their names.
    folder: String,
}

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const BAD: Style = AnsiColor::Red.on_default();
const GOOD: Style = AnsiColor::Green.on_default();
const NOTE: Style = AnsiColor::Yellow.on_default();
const HEAD: Style = AnsiColor::Cyan.on_default().bold();

impl Page {
    /// `server.log:64`.
    fn place(&self, source: &str, line: u64) -> String {
        format!("{}:{line}", clean(source.strip_prefix(self.folder.as_str()).unwrap_or(source)))
    }

    fn paint(&self, style: Style, text: &str) -> String {
        if self.look.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    fn head(&mut self, text: &str) {
        self.out.push('\n');
        let text = self.paint(HEAD, &clean(text));
        self.line(&text);
    }

    /// Wrapped text; further lines are indented by `indent`.
    fn text(&mut self, first: &str, indent: &str, text: &str) {
        let options = textwrap::Options::new(self.look.width).initial_indent(first).subsequent_indent(indent);
        let wrapped = textwrap::fill(&clean(text), options);
        for line in wrapped.lines() {
            self.line(line);
        }
    }

    fn table(&self, heads: &[&str]) -> Table {
        let mut table = Table::new();
        table.load_style(LINES);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(u16::try_from(self.look.width).unwrap_or(u16::MAX));
        table.set_header(heads.iter().map(|head| (*head).to_owned()).collect::<Vec<_>>());
        table
    }
}

fn align_right(table: &mut Table, columns: &[usize]) {
    for column in columns {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}
