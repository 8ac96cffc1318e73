//! What every fuzz target does with its input.

#[cfg(feature = "mail")]
pub mod mail;

use std::ops::ControlFlow;

use blackrod_model::{Event, EvidenceId, Refusal, Sha256};
use blackrod_read::evidence::{Feed, Finished, ItemKey, Limits, TopLevel, feed};
use blackrod_read::{Block, Format, Formats, Sink};

/// Cuts `data` as the named format and parses every block; all that may happen is events and
/// refusals.
pub fn read_as(name: &str, data: &[u8]) {
    let formats = Formats::standard();
    let Some(format) = formats.iter().find(|format| format.name() == name) else {
        panic!("no format is called {name}");
    };
    let _ = format.recognise(data);
    let mut blocks = Vec::new();
    let outcome = format.split(&mut &data[..], &mut |block| {
        blocks.push(block);
        ControlFlow::Continue(())
    });
    assert!(outcome.is_ok(), "memory cannot fail to be read");
    let mut count = Count::default();
    for block in &blocks {
        format.parse(block, &mut count);
    }
}

/// Opens `data` as a file of unknown content: containers, limits and all.
pub fn feed_file(data: &[u8]) {
    let Ok(folder) = tempfile::tempdir_in("/dev/shm") else {
        return;
    };
    let path = folder.path().join("input");
    if std::fs::write(&path, data).is_err() {
        return;
    }
    let file = TopLevel {
        path,
        name: "input".to_owned(),
        size: data.len() as u64,
    };
    let mut opened = Opened::default();
    feed(
        &file,
        &Sha256::of(data),
        &Formats::standard(),
        &Limits::default(),
        &mut opened,
    );
    assert_eq!(
        opened.begun, opened.ended,
        "every piece of evidence that is begun is ended"
    );
}

#[derive(Default)]
struct Count {
    records: u64,
}

impl Sink for Count {
    fn event(&mut self, event: Event<'_>) {
        let mut raw = String::new();
        event.write_raw(&mut raw);
        self.records += 1;
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.records += refusal.records;
    }
}

#[derive(Default)]
struct Opened {
    begun: ItemKey,
    ended: ItemKey,
}

impl<'f> Feed<'f> for Opened {
    fn begin(&mut self, _: EvidenceId, _: &str) -> ItemKey {
        self.begun += 1;
        self.begun - 1
    }

    fn block(&mut self, _: ItemKey, format: &'f dyn Format, block: Block) -> ControlFlow<()> {
        format.parse(&block, &mut Count::default());
        ControlFlow::Continue(())
    }

    fn content(&mut self, _: ItemKey, _: Vec<u8>) {}

    fn end(&mut self, _: ItemKey, _: Finished) {
        self.ended += 1;
    }
}
