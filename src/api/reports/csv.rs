//! Renders rows as comma-separated values (RFC 4180).

use super::fields::{Field, Row};

/// Spreadsheets read a file as UTF-8 only if it begins with this mark.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Renders a table. A spreadsheet would execute a cell that begins like a formula, so such a cell
/// begins with `'`.
pub(super) fn to_csv(columns: &[&'static str], rows: &[Row<'_>]) -> String {
    let mut text = BYTE_ORDER_MARK.to_owned();
    text.push_str(&columns.join(","));
    text.push_str("\r\n");
    for Row(fields) in rows {
        let mut is_first = true;
        for (_, field) in fields {
            if matches!(field, Field::Reasons(_)) {
                continue;
            }
            if !is_first {
                text.push(',');
            }
            is_first = false;
            match field {
                Field::Text(value) => push_text(&mut text, value),
                Field::Date(value) => text.push_str(value),
                Field::Number(value) => text.push_str(&value.to_string()),
                Field::Null | Field::Reasons(_) => {}
            }
        }
        text.push_str("\r\n");
    }
    text
}

fn push_text(text: &mut String, value: &str) {
    let is_quoted = value.contains(['"', ',', '\r', '\n']);
    if is_quoted {
        text.push('"');
    }
    if value.starts_with(['=', '+', '-', '@']) {
        text.push('\'');
    }
    text.push_str(&value.replace('"', "\"\""));
    if is_quoted {
        text.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_never_formulas() {
        let row = |alias| {
            Row(vec![
                ("agent", Field::Text("1001")),
                ("alias", alias),
                ("day", Field::Date("2026-11-29".to_owned())),
                ("pauses", Field::Number(2)),
                ("reasons", Field::Reasons(Vec::new())),
            ])
        };
        let rows = [
            Field::Text("Dana, \"the\" first"),
            Field::Text("=1+1"),
            Field::Text("-1,2"),
            Field::Text("Zoë"),
            Field::Null,
        ];
        let text = to_csv(&["agent", "alias", "day", "pauses"], &rows.map(row));
        let expected = "\u{feff}agent,alias,day,pauses\r\n\
             1001,\"Dana, \"\"the\"\" first\",2026-11-29,2\r\n\
             1001,'=1+1,2026-11-29,2\r\n\
             1001,\"'-1,2\",2026-11-29,2\r\n\
             1001,Zoë,2026-11-29,2\r\n\
             1001,,2026-11-29,2\r\n";
        assert_eq!(text, expected);
    }
}
