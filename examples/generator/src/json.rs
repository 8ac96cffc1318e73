//! JSON whose members stay in the order in which they are written.

/// An object in the making.
#[derive(Clone, Debug, Default)]
pub(crate) struct Object(String);

impl Object {
    /// Adds a member with text.
    pub(crate) fn text(self, name: &str, value: &str) -> Self {
        let quoted = quote(value);
        self.raw(name, &quoted)
    }

    /// Adds a member with a number.
    pub(crate) fn number(self, name: &str, value: u64) -> Self {
        self.raw(name, &value.to_string())
    }

    /// Adds a member with another object.
    pub(crate) fn object(self, name: &str, value: Self) -> Self {
        let inner = value.finish();
        self.raw(name, &inner)
    }

    /// Adds a member with JSON.
    pub(crate) fn raw(mut self, name: &str, json: &str) -> Self {
        if !self.0.is_empty() {
            self.0.push(',');
        }
        self.0.push_str(&quote(name));
        self.0.push(':');
        self.0.push_str(json);
        self
    }

    pub(crate) fn finish(self) -> String {
        format!("{{{}}}", self.0)
    }
}

fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
