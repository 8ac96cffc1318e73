//! The picture of a mail campaign: who sent what to whom.

use std::collections::BTreeMap;

use blackrod_model::mail::MailCampaign;
use maud::{Markup, html};

use crate::shown;

/// How many nodes a column shows; the rest share the last one.
const MAX_NODES: usize = 16;
const ROW: usize = 22;
const WIDTH: usize = 960;
/// Left edge of each column: senders, templates, recipients.
const COLUMNS: [usize; 3] = [0, 350, 700];
const NODE_WIDTH: usize = 250;
const HEADINGS: [&str; 3] = ["Senders", "Templates", "Recipients"];

/// A drawing in three columns: sender → template → recipient; each line is as thick as it is frequent.
pub(super) fn figure(anchor: &str, campaign: &MailCampaign) -> Markup {
    let map = Map::of(campaign);
    let rows = map
        .columns
        .iter()
        .map(|column| column.names.len())
        .max()
        .unwrap_or(0);
    let height = (rows + 2) * ROW;
    html! {
        @if rows > 0 {
            figure.mail-map {
                svg viewBox=(format!("0 0 {WIDTH} {height}")) role="img" aria-labelledby={ (anchor) "-map" } {
                    title id={ (anchor) "-map" } { "Senders, the templates they use, and the recipients these reach" }
                    @for (from, to, count) in &map.lines { (line(*from, *to, *count)) }
                    @for (index, column) in map.columns.iter().enumerate() {
                        @let left = COLUMNS[index];
                        text.map-heading x=(left) y="14" { (HEADINGS[index]) }
                        @for (row, name) in column.names.iter().enumerate() {
                            rect.map-node x=(left) y=(top(row)) width=(NODE_WIDTH) height="18" rx="3" {}
                            text.map-name x=(left + 6) y=(top(row) + 13) { (shown::line_of(name, 38)) }
                        }
                    }
                }
                figcaption { "Who sent what to whom. The messages are listed below." }
            }
        }
    }
}

/// A node: its column and its row.
type Node = (usize, usize);

struct Map {
    columns: [Column; 3],
    lines: Vec<(Node, Node, usize)>,
}

#[derive(Default)]
struct Column {
    names: Vec<String>,
    rows: BTreeMap<String, usize>,
}

impl Column {
    /// The most frequent names get a row each; the others share the last.
    fn of(counts: &BTreeMap<String, usize>) -> Self {
        let mut sorted: Vec<_> = counts.iter().collect();
        sorted.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), *name));
        let own_rows = if sorted.len() > MAX_NODES {
            MAX_NODES - 1
        } else {
            sorted.len()
        };
        let mut column = Self::default();
        for (row, (name, _)) in sorted.iter().enumerate() {
            column.rows.insert((*name).clone(), row.min(own_rows));
            if row < own_rows {
                column.names.push((*name).clone());
            }
        }
        if sorted.len() > own_rows {
            column.names.push(format!("{} others", sorted.len() - own_rows));
        }
        column
    }

    fn row(&self, name: &str) -> usize {
        self.rows.get(name).copied().unwrap_or_default()
    }
}

impl Map {
    fn of(campaign: &MailCampaign) -> Self {
        let templates_of = |used: &[usize]| -> Vec<String> {
            let names: Vec<String> = used
                .iter()
                .filter_map(|index| campaign.templates.get(*index))
                .map(|used| used.template.clone())
                .collect();
            if names.is_empty() {
                vec!["no shared template".to_owned()]
            } else {
                names
            }
        };
        let mut counts: [BTreeMap<String, usize>; 3] = Default::default();
        for message in &campaign.messages {
            *counts[0].entry(message.from.clone()).or_default() += 1;
            for template in templates_of(&message.templates) {
                *counts[1].entry(template).or_default() += 1;
            }
            for recipient in &message.recipients {
                *counts[2].entry(recipient.clone()).or_default() += 1;
            }
        }
        let columns = counts.each_ref().map(Column::of);
        let mut lines: BTreeMap<(Node, Node), usize> = BTreeMap::new();
        for message in &campaign.messages {
            let sender = (0, columns[0].row(&message.from));
            for template in templates_of(&message.templates) {
                let template = (1, columns[1].row(&template));
                *lines.entry((sender, template)).or_default() += 1;
                for recipient in &message.recipients {
                    let recipient = (2, columns[2].row(recipient));
                    *lines.entry((template, recipient)).or_default() += 1;
                }
            }
        }
        let lines = lines
            .into_iter()
            .map(|((from, to), count)| (from, to, count))
            .collect();
        Self { columns, lines }
    }
}

fn top(row: usize) -> usize {
    ROW + row * ROW
}

fn line(from: Node, to: Node, count: usize) -> Markup {
    let start = (COLUMNS[from.0] + NODE_WIDTH, top(from.1) + 9);
    let end = (COLUMNS[to.0], top(to.1) + 9);
    let middle = (start.0 + end.0) / 2;
    let width = 1.0 + (count as f64).ln();
    let path = format!(
        "M{} {} C{middle} {} {middle} {} {} {}",
        start.0, start.1, start.1, end.1, end.0, end.1
    );
    html! { path.map-line d=(path) stroke-width=(format!("{width:.1}")) {} }
}
