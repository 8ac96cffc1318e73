//! What a statement asks of a register's table: which records, which columns.

use std::borrow::Cow;

use blackrod_model::{How, Wanted};
use sqlparser::ast::{
    BinaryOperator, CopySource, Expr, FunctionArguments, GroupByExpr, LimitClause, ObjectName, OrderByKind,
    Query, Select, SelectItem, SetExpr, Statement, TableFactor, TopQuantity, UnaryOperator, Value,
};
use sqlparser::dialect::{Dialect, MsSqlDialect, MySqlDialect, PostgreSqlDialect};
use sqlparser::parser::Parser;

/// Statements longer than this are not taken apart: rows of their own that they carry in.
const MAX_STATEMENT: usize = 64 * 1024;
/// How deep a statement may be nested.
const MAX_DEPTH: usize = 40;
/// The most values of one `IN (…)` that are looked at.
const MAX_LIST: usize = 10_000;

/// A table, and the column that numbers its records.
#[derive(Clone, Copy)]
pub(super) struct Table<'t> {
    pub(super) names: &'t [String],
    pub(super) key: Option<&'t str>,
}

/// What was asked.
#[derive(Debug, PartialEq)]
pub(super) struct Asked {
    pub(super) what: Wanted,
    pub(super) columns: Vec<String>,
}

/// What `statement` asks of `table`; `None` where it hands out none of its records. `parameters` are the values of
/// placeholders.
pub(super) fn asked(
    statement: &str,
    parameters: &[String],
    product: &str,
    table: Table<'_>,
) -> Option<Asked> {
    let text = without_only(statement.trim());
    let text = text.as_ref();
    if text.len() > MAX_STATEMENT {
        return is_load(text).then_some(Asked::of(Wanted::Loaded));
    }
    let dialect: &dyn Dialect = match product {
        "mysql" => &MySqlDialect {},
        "mssql" => &MsSqlDialect {},
        _ => &PostgreSqlDialect {},
    };
    let parsed = Parser::new(dialect)
        .with_recursion_limit(MAX_DEPTH)
        .try_with_sql(text)
        .and_then(|mut parser| parser.parse_statement());
    let look = Look { table, parameters };
    match parsed {
        Ok(parsed) => look.statement(&parsed),
        // `COPY t FROM stdin;` is followed by data that no log has.
        Err(_) if is_load(text) => Some(Asked::of(Wanted::Loaded)),
        Err(_) => Some(Asked::of(Wanted::Some)),
    }
}

/// PostgreSQL's `FROM ONLY t` (without tables that inherit from it) as `FROM t`, which the parser knows.
fn without_only(text: &str) -> Cow<'_, str> {
    const MARK: &str = "from only ";
    let at = text.to_ascii_lowercase().find(MARK);
    match at.and_then(|at| Some((text.get(..at)?, text.get(at + MARK.len()..)?))) {
        Some((before, after)) => Cow::Owned(format!("{before}FROM {after}")),
        None => Cow::Borrowed(text),
    }
}

/// Whether a statement that cannot be taken apart carries records in.
fn is_load(text: &str) -> bool {
    let lower = text
        .get(..text.floor_char_boundary(400))
        .unwrap_or(text)
        .to_ascii_lowercase();
    lower.starts_with("insert ") || lower.starts_with("copy ") && lower.contains(" from ")
}

impl Asked {
    const fn of(what: Wanted) -> Self {
        Self {
            what,
            columns: Vec::new(),
        }
    }
}

struct Look<'l> {
    table: Table<'l>,
    parameters: &'l [String],
}

/// What conditions say of the records that fulfil them.
#[derive(Default)]
struct Conditions {
    keys: Option<Vec<(i64, i64)>>,
    values: Vec<(String, String, bool)>,
    others: bool,
}

impl Look<'_> {
    fn statement(&self, statement: &Statement) -> Option<Asked> {
        match statement {
            Statement::Query(query) => self.query(query, 0),
            Statement::Prepare { statement, .. } => self.statement(statement),
            Statement::Explain { .. } => None,
            Statement::Copy { source, to, .. } => match source {
                CopySource::Query(query) => self.query(query, 0),
                CopySource::Table { table_name, .. } if !self.is_table(table_name) => None,
                CopySource::Table { columns, .. } if *to => Some(Asked {
                    what: Wanted::All(How::Copied),
                    columns: columns.iter().map(|column| column.value.clone()).collect(),
                }),
                CopySource::Table { .. } => Some(Asked::of(Wanted::Loaded)),
            },
            Statement::Declare { stmts } => stmts
                .iter()
                .filter_map(|declared| declared.for_query.as_deref())
                .find_map(|query| self.query(query, 0)),
            Statement::CreateTable(table) => copied(self.query(table.query.as_deref()?, 0)),
            Statement::Insert(insert) => {
                let source = insert.source.as_deref()?;
                if let Some(asked) = self.query(source, 0) {
                    return copied(Some(asked));
                }
                insert
                    .table
                    .to_string()
                    .to_lowercase()
                    .rsplit('.')
                    .next()
                    .is_some_and(|name| self.names(name))
                    .then(|| Asked::of(Wanted::Loaded))
            }
            _ => None,
        }
    }

    fn query(&self, query: &Query, depth: usize) -> Option<Asked> {
        if depth > MAX_DEPTH {
            return None;
        }
        let tables = query.with.iter().flat_map(|with| &with.cte_tables);
        let within = || {
            tables
                .clone()
                .find_map(|table| self.query(&table.query, depth + 1))
        };
        self.body(&query.body, query, depth).or_else(within)
    }

    fn body(&self, body: &SetExpr, query: &Query, depth: usize) -> Option<Asked> {
        if depth > MAX_DEPTH {
            return None;
        }
        match body {
            SetExpr::Select(select) => self.select(select, query, depth),
            SetExpr::Query(inner) => self.query(inner, depth + 1),
            SetExpr::SetOperation { left, right, .. } => self
                .body(left, query, depth + 1)
                .or_else(|| self.body(right, query, depth + 1)),
            SetExpr::Table(table) => table
                .table_name
                .as_deref()
                .is_some_and(|name| self.names(&name.to_lowercase()))
                .then(|| Asked::of(Wanted::All(How::Query))),
            _ => None,
        }
    }

    fn select(&self, select: &Select, query: &Query, depth: usize) -> Option<Asked> {
        let factors = select.from.iter().flat_map(|from| {
            std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation))
        });
        let mut reads_table = false;
        let mut joined = 0;
        let mut inner = None;
        for factor in factors {
            joined += 1;
            match factor {
                TableFactor::Table { name, .. } => reads_table |= self.is_table(name),
                TableFactor::Derived { subquery, .. } => {
                    inner = inner.or_else(|| self.query(subquery, depth + 1));
                }
                _ => {}
            }
        }
        if !reads_table {
            return inner;
        }
        if self.is_aggregate(select) {
            return None;
        }
        let mut conditions = Conditions::default();
        if let Some(selection) = &select.selection {
            self.conditions(selection, &mut conditions, 0);
        }
        Some(Asked {
            what: self.wanted(conditions, select, query, joined > 1),
            columns: columns_of(&select.projection),
        })
    }

    fn wanted(&self, conditions: Conditions, select: &Select, query: &Query, is_join: bool) -> Wanted {
        let (limit, offset) = self.limits(select, query);
        if let Some(ranges) = conditions.keys {
            return Wanted::Keys {
                ranges,
                limit,
                descending: self.is_descending(query),
                filtered: conditions.others || !conditions.values.is_empty(),
            };
        }
        let mut values = conditions.values;
        let has_prefix = values.iter().any(|(_, _, is_prefix)| *is_prefix);
        match values.len() {
            _ if conditions.others => Wanted::Some,
            0 if limit.is_some() || offset > 0 => Wanted::Page { offset, limit },
            // An inner join can leave records out.
            0 if is_join => Wanted::Some,
            0 => Wanted::All(How::Query),
            // The second page of an answer holds other records than the first.
            _ if offset > 0 => Wanted::Some,
            2.. if has_prefix => Wanted::Some,
            _ => {
                values.sort();
                let join = |part: fn(&(String, String, bool)) -> &str| {
                    values.iter().map(part).collect::<Vec<_>>().join("\u{1f}")
                };
                Wanted::Value {
                    column: join(|(column, _, _)| column),
                    value: join(|(_, value, _)| value),
                    is_prefix: has_prefix,
                }
            }
        }
    }

    /// Limit and offset.
    fn limits(&self, select: &Select, query: &Query) -> (Option<u64>, u64) {
        let number = |expr: &Expr| self.number(expr).and_then(|number| u64::try_from(number).ok());
        let mut limit = match &query.limit_clause {
            Some(LimitClause::LimitOffset { limit, offset, .. }) => {
                let offset = offset.as_ref().and_then(|offset| number(&offset.value));
                return (
                    limit.as_ref().and_then(number).or_else(|| self.fetch(query)),
                    offset.unwrap_or(0),
                );
            }
            Some(LimitClause::OffsetCommaLimit { offset, limit }) => {
                return (number(limit), number(offset).unwrap_or(0));
            }
            None => self.fetch(query),
        };
        if let Some(top) = select.top.as_ref().filter(|top| !top.percent) {
            limit = match &top.quantity {
                Some(TopQuantity::Constant(number)) => Some(*number),
                Some(TopQuantity::Expr(expr)) => number(expr),
                None => limit,
            };
        }
        (limit, 0)
    }

    fn fetch(&self, query: &Query) -> Option<u64> {
        let fetch = query.fetch.as_ref().filter(|fetch| !fetch.percent)?;
        let number = self.number(fetch.quantity.as_ref()?)?;
        u64::try_from(number).ok()
    }

    fn is_descending(&self, query: &Query) -> bool {
        let Some(OrderByKind::Expressions(order)) = query.order_by.as_ref().map(|order| &order.kind) else {
            return false;
        };
        order
            .first()
            .is_some_and(|first| self.is_key(&first.expr) && first.options.asc == Some(false))
    }

    fn conditions(&self, expr: &Expr, into: &mut Conditions, depth: usize) {
        if depth > MAX_DEPTH {
            into.others = true;
            return;
        }
        if let Some(ranges) = self.ranges(expr, depth) {
            into.keys = Some(match into.keys.take() {
                Some(before) => intersection(&before, &ranges),
                None => ranges,
            });
            return;
        }
        match expr {
            Expr::Nested(inner) => self.conditions(inner, into, depth + 1),
            Expr::BinaryOp {
                left,
                op: BinaryOperator::And,
                right,
            } => {
                self.conditions(left, into, depth + 1);
                self.conditions(right, into, depth + 1);
            }
            // `1 = 1`, `TRUE`, `key IS NOT NULL`: true of all.
            Expr::BinaryOp {
                left,
                op: BinaryOperator::Eq,
                right,
            } if self.number(left).is_some() && self.number(left) == self.number(right) => {}
            Expr::Value(value) if value.value == Value::Boolean(true) => {}
            Expr::IsNotNull(inner) if self.is_key(inner) => {}
            _ => match self.value(expr) {
                Some(value) => into.values.push(value),
                None => into.others = true,
            },
        }
    }

    /// The ranges of the key that `expr` holds for, where it speaks of nothing else.
    fn ranges(&self, expr: &Expr, depth: usize) -> Option<Vec<(i64, i64)>> {
        const MIN: i64 = i64::MIN;
        const MAX: i64 = i64::MAX;
        if depth > MAX_DEPTH {
            return None;
        }
        match expr {
            Expr::Nested(inner) => self.ranges(inner, depth + 1),
            Expr::Between {
                expr,
                negated: false,
                low,
                high,
            } if self.is_key(expr) => Some(vec![(self.number(low)?, self.number(high)?)]),
            Expr::InList {
                expr,
                list,
                negated: false,
            } if self.is_key(expr) && list.len() <= MAX_LIST => list
                .iter()
                .map(|item| self.number(item).map(|number| (number, number)))
                .collect(),
            Expr::BinaryOp {
                left,
                op: BinaryOperator::Or,
                right,
            } => {
                let mut ranges = self.ranges(left, depth + 1)?;
                ranges.extend(self.ranges(right, depth + 1)?);
                (ranges.len() <= MAX_LIST).then_some(ranges)
            }
            Expr::BinaryOp {
                left,
                op: BinaryOperator::And,
                right,
            } => Some(intersection(
                &self.ranges(left, depth + 1)?,
                &self.ranges(right, depth + 1)?,
            )),
            Expr::BinaryOp { left, op, right } => {
                let (number, is_turned) = match (self.is_key(left), self.is_key(right)) {
                    (true, false) => (self.number(right)?, false),
                    (false, true) => (self.number(left)?, true),
                    _ => return None,
                };
                let range = match (op, is_turned) {
                    (BinaryOperator::Eq, _) => (number, number),
                    (BinaryOperator::Gt, false) | (BinaryOperator::Lt, true) => {
                        (number.saturating_add(1), MAX)
                    }
                    (BinaryOperator::GtEq, false) | (BinaryOperator::LtEq, true) => (number, MAX),
                    (BinaryOperator::Lt, false) | (BinaryOperator::Gt, true) => {
                        (MIN, number.saturating_sub(1))
                    }
                    (BinaryOperator::LtEq, false) | (BinaryOperator::GtEq, true) => (MIN, number),
                    _ => return None,
                };
                Some(vec![range])
            }
            _ => None,
        }
    }

    /// `column = 'value'` or `column LIKE 'begin%'`, also within `lower(…)` and casts.
    fn value(&self, expr: &Expr) -> Option<(String, String, bool)> {
        match expr {
            Expr::BinaryOp {
                left,
                op: BinaryOperator::Eq,
                right,
            } => match column(left) {
                Some(column) => Some((column, self.text(right)?, false)),
                None => Some((column(right)?, self.text(left)?, false)),
            },
            Expr::Like {
                expr,
                pattern,
                negated: false,
                ..
            }
            | Expr::ILike {
                expr,
                pattern,
                negated: false,
                ..
            } => {
                let text = self.text(pattern)?;
                let (begin, rest) = text.split_at(text.find(['%', '_']).unwrap_or(text.len()));
                let is_prefix = rest == "%" && !begin.is_empty();
                (is_prefix || rest.is_empty()).then(|| Some((column(expr)?, begin.to_owned(), is_prefix)))?
            }
            _ => None,
        }
    }

    fn is_aggregate(&self, select: &Select) -> bool {
        const ONE_OF_MANY: [&str; 12] = [
            "count",
            "sum",
            "min",
            "max",
            "avg",
            "stddev",
            "variance",
            "bool_and",
            "bool_or",
            "count_big",
            "percentile_cont",
            "mode",
        ];
        let is_counting = |item: &SelectItem| match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => match expr {
                Expr::Function(function) => {
                    let name = function.name.to_string().to_ascii_lowercase();
                    ONE_OF_MANY.contains(&name.as_str())
                }
                Expr::Value(_) => true,
                _ => false,
            },
            _ => false,
        };
        let groups_by_key = match &select.group_by {
            GroupByExpr::Expressions(exprs, _) if !exprs.is_empty() => {
                return !exprs.iter().any(|expr| self.is_key(expr));
            }
            GroupByExpr::All(_) => return true,
            GroupByExpr::Expressions(..) => false,
        };
        !groups_by_key && !select.projection.is_empty() && select.projection.iter().all(is_counting)
    }

    fn is_table(&self, name: &ObjectName) -> bool {
        name.0
            .last()
            .and_then(|part| part.as_ident())
            .is_some_and(|ident| self.names(&ident.value.to_lowercase()))
    }

    fn names(&self, name: &str) -> bool {
        let bare = name.trim_matches(['"', '`', '[', ']']);
        self.table.names.iter().any(|own| own == bare)
    }

    fn is_key(&self, expr: &Expr) -> bool {
        self.table.key.is_some() && column(expr).as_deref() == self.table.key
    }

    fn number(&self, expr: &Expr) -> Option<i64> {
        match expr {
            Expr::Nested(inner) => self.number(inner),
            Expr::Cast { expr, .. } => self.number(expr),
            Expr::UnaryOp {
                op: UnaryOperator::Minus,
                expr,
            } => self.number(expr)?.checked_neg(),
            Expr::BinaryOp { left, op, right } => {
                let (left, right) = (self.number(left)?, self.number(right)?);
                match op {
                    BinaryOperator::Plus => left.checked_add(right),
                    BinaryOperator::Minus => left.checked_sub(right),
                    BinaryOperator::Multiply => left.checked_mul(right),
                    _ => None,
                }
            }
            _ => self.text(expr)?.trim().parse().ok(),
        }
    }

    /// The text of a constant or of a placeholder, in lower case.
    fn text(&self, expr: &Expr) -> Option<String> {
        let value = match expr {
            Expr::Value(value) => &value.value,
            Expr::Nested(inner) => return self.text(inner),
            Expr::Cast { expr, .. } => return self.text(expr),
            Expr::Function(_) => return unwrapped(expr).and_then(|inner| self.text(inner)),
            _ => return None,
        };
        Some(match value {
            Value::Number(number, _) => number.to_string(),
            Value::SingleQuotedString(text)
            | Value::EscapedStringLiteral(text)
            | Value::NationalStringLiteral(text)
            | Value::DoubleQuotedString(text) => text.to_lowercase(),
            Value::Placeholder(name) => {
                let index: usize = name.trim_start_matches(['$', '@', 'P', 'p', ':']).parse().ok()?;
                self.parameters.get(index.checked_sub(1)?)?.to_lowercase()
            }
            _ => return None,
        })
    }
}

/// What hands a selection on into a table hands out all the same.
fn copied(asked: Option<Asked>) -> Option<Asked> {
    let mut asked = asked?;
    if asked.what == Wanted::All(How::Query) {
        asked.what = Wanted::All(How::Copied);
    }
    Some(asked)
}

/// The column that an expression is, in lower case, without its table.
fn column(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(ident) => Some(ident.value.to_lowercase()),
        Expr::CompoundIdentifier(parts) => parts.last().map(|part| part.value.to_lowercase()),
        Expr::Nested(inner) => column(inner),
        Expr::Cast { expr, .. } => column(expr),
        Expr::Function(_) => column(unwrapped(expr)?),
        _ => None,
    }
}

/// What stands within `lower(…)`, `upper(…)`, `trim(…)`.
fn unwrapped(expr: &Expr) -> Option<&Expr> {
    let Expr::Function(function) = expr else {
        return None;
    };
    let name = function.name.to_string().to_ascii_lowercase();
    let FunctionArguments::List(list) = &function.args else {
        return None;
    };
    let [sqlparser::ast::FunctionArg::Unnamed(sqlparser::ast::FunctionArgExpr::Expr(inner))] = &list.args[..]
    else {
        return None;
    };
    matches!(name.as_str(), "lower" | "upper" | "trim").then_some(inner)
}

fn columns_of(projection: &[SelectItem]) -> Vec<String> {
    let mut columns = Vec::new();
    for item in projection {
        match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                columns.extend(column(expr));
            }
            SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => return Vec::new(),
            _ => {}
        }
    }
    columns
}

fn intersection(left: &[(i64, i64)], right: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let mut both = Vec::new();
    for (from, to) in left {
        for (other_from, other_to) in right {
            let (first, last) = (*from.max(other_from), *to.min(other_to));
            if first <= last && both.len() < MAX_LIST {
                both.push((first, last));
            }
        }
    }
    both
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(statement: &str) -> Option<Wanted> {
        let names = ["electors".to_owned()];
        let table = Table {
            names: &names,
            key: Some("elector_no"),
        };
        let parameters = ["100".to_owned(), "Berg".to_owned()];
        asked(statement, &parameters, "postgresql", table).map(|asked| asked.what)
    }

    fn keys(ranges: &[(i64, i64)], limit: Option<u64>) -> Option<Wanted> {
        Some(Wanted::Keys {
            ranges: ranges.to_vec(),
            limit,
            descending: false,
            filtered: false,
        })
    }

    #[test]
    fn ranges_of_keys() {
        let max = i64::MAX;
        for (statement, expected) in [
            (
                "SELECT * FROM electors WHERE elector_no BETWEEN 5 AND 9",
                keys(&[(5, 9)], None),
            ),
            (
                "select a from public.\"electors\" e where e.elector_no >= 5 and e.elector_no < 9",
                keys(&[(5, 8)], None),
            ),
            (
                "SELECT * FROM electors WHERE elector_no > $1 ORDER BY elector_no LIMIT 50",
                keys(&[(101, max)], Some(50)),
            ),
            (
                "SELECT * FROM electors WHERE elector_no IN (1, 2, 7)",
                keys(&[(1, 1), (2, 2), (7, 7)], None),
            ),
            (
                "SELECT * FROM electors WHERE elector_no = 3 OR elector_no BETWEEN 8 AND 9",
                keys(&[(3, 3), (8, 9)], None),
            ),
            (
                "SELECT * FROM (SELECT * FROM electors WHERE 9 > elector_no) x",
                keys(&[(i64::MIN, 8)], None),
            ),
            (
                "prepare p(bigint) as select * from electors where elector_no = $1",
                keys(&[(100, 100)], None),
            ),
        ] {
            assert_eq!(ask(statement), expected, "{statement}");
        }
    }

    #[test]
    fn all_pages_values_and_nothing() {
        let value = |column: &str, value: &str, is_prefix| {
            Some(Wanted::Value {
                column: column.to_owned(),
                value: value.to_owned(),
                is_prefix,
            })
        };
        for (statement, expected) in [
            ("SELECT * FROM electors", Some(Wanted::All(How::Query))),
            ("SELECT * FROM electors WHERE 1=1", Some(Wanted::All(How::Query))),
            (
                "COPY public.electors (a, b) TO stdout;",
                Some(Wanted::All(How::Copied)),
            ),
            (
                "copy (select * from electors) to '/tmp/x' csv",
                Some(Wanted::All(How::Query)),
            ),
            (
                "CREATE TABLE mine AS SELECT * FROM electors",
                Some(Wanted::All(How::Copied)),
            ),
            (
                "INSERT INTO mine SELECT * FROM electors",
                Some(Wanted::All(How::Copied)),
            ),
            (
                "DECLARE c CURSOR FOR SELECT a FROM ONLY public.electors",
                Some(Wanted::All(How::Query)),
            ),
            ("COPY public.electors (a, b) FROM stdin;\n", Some(Wanted::Loaded)),
            ("INSERT INTO electors VALUES (1, 'a')", Some(Wanted::Loaded)),
            (
                "SELECT * FROM electors ORDER BY surname LIMIT 10 OFFSET 20",
                Some(Wanted::Page {
                    offset: 20,
                    limit: Some(10),
                }),
            ),
            (
                "SELECT * FROM electors WHERE lower(surname) = lower($2)",
                value("surname", "berg", false),
            ),
            (
                "SELECT * FROM electors WHERE surname LIKE 'BE%'",
                value("surname", "be", true),
            ),
            (
                "SELECT * FROM electors WHERE surname LIKE '%E%'",
                Some(Wanted::Some),
            ),
            (
                "SELECT * FROM electors WHERE b='2' AND a='1'",
                value("a\u{1f}b", "1\u{1f}2", false),
            ),
            ("SELECT count(*) FROM electors", None),
            ("SELECT ward, count(*) FROM electors GROUP BY ward", None),
            ("SELECT * FROM ballots", None),
            ("EXPLAIN SELECT * FROM electors", None),
            ("SELECT * FROM electors WHERE (((", Some(Wanted::Some)),
        ] {
            assert_eq!(ask(statement), expected, "{statement}");
        }
        let names = ["electors".to_owned()];
        let table = Table {
            names: &names,
            key: Some("no"),
        };
        let top = asked(
            "SELECT TOP 7 surname, no FROM dbo.electors WHERE no > 5",
            &[],
            "mssql",
            table,
        );
        let top = top.map(|asked| {
            (
                asked.columns,
                matches!(asked.what, Wanted::Keys { limit: Some(7), .. }),
            )
        });
        assert_eq!(top, Some((vec!["surname".to_owned(), "no".to_owned()], true)));
    }
}
