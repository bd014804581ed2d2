//! Renders reports about the day's work, for `showreport`.

mod csv;
mod fields;
mod request;
mod scope;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;

use self::csv::to_csv;
use self::fields::{Row, columns, rows};
pub(in crate::api) use self::request::{ReportFormat, ReportRequest};
use self::scope::Scope;
use crate::api::json::to_json;
use crate::report::{Days, Engine, GroupKey};
use crate::storage::{Entry, ReportGap, ReportReader};

#[derive(Serialize)]
struct Body<'a> {
    status: &'static str,
    action: &'static str,
    request_id: &'a str,
    from: String,
    to: String,
    time_zone: &'a str,
    by: Vec<&'static str>,
    complete: bool,
    since: Option<String>,
    gaps: Vec<GapView>,
    rows: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct GapView {
    from: Option<String>,
    to: Option<String>,
}

/// A queue that the PBX does not have, and never had as long as the bridge has recorded it.
#[derive(Debug)]
pub(in crate::api) struct UnknownQueue(pub(in crate::api) String);

/// Computes and renders a report. `now` is in Unix seconds.
///
/// # Errors
/// Returns an error if the database can't be read. The inner error is an unknown queue.
pub(in crate::api) fn report(
    request: &ReportRequest,
    reader: &ReportReader<'_>,
    now: i64,
) -> rusqlite::Result<Result<Vec<Bytes>, UnknownQueue>> {
    let scope = Scope::new(request, reader);
    let mut unlisted = request.unlisted_queues.iter();
    if let Some(unknown) = unlisted.find(|number| !scope.has_queue(number)) {
        return Ok(Err(UnknownQueue(unknown.clone())));
    }
    let days = &request.days;
    let mut engine = Engine::new(&scope.selection, days, &request.by);
    let mut entries: Vec<Entry> = Vec::new();
    for day in days.utc_days() {
        reader.read_day(day, &mut entries)?;
        engine.add_day(&entries);
    }
    let rows = rows(request, &scope, engine.finish());
    if request.format == ReportFormat::Csv {
        return Ok(Ok(vec![to_csv(&columns(request), &rows).into()]));
    }
    let gaps = reader.gaps.iter();
    let gaps = united(gaps.filter(|gap| concerns(gap, days, now)));
    let has_begun = days.start() <= now;
    let begins_seen = reader.since.is_some_and(|since| since <= days.start());
    let body = to_json(&Body {
        status: "success",
        action: request.action,
        request_id: &request.request_id,
        from: request.from.to_string(),
        to: request.to.to_string(),
        time_zone: &request.account.organization.time_zone.name,
        by: request
            .by
            .keys()
            .iter()
            .copied()
            .map(GroupKey::as_str)
            .collect(),
        complete: has_begun && begins_seen && gaps.is_empty(),
        since: reader.since.and_then(timestamp),
        gaps: gaps.iter().map(GapView::of).collect(),
        rows,
    });
    Ok(Ok(body))
}

/// Returns whether a gap lies at least partly within the days, as far as they have passed.
fn concerns(gap: &ReportGap, days: &Days, now: i64) -> bool {
    // A gap may have begun in this second.
    let end = days.end().min(now + 1);
    gap.began < end && gap.ended.is_none_or(|ended| ended > days.start())
}

/// Unites gaps that overlap, which happens if the clock was set back. `gaps` must be in the order in
/// which they begin.
fn united<'a>(gaps: impl IntoIterator<Item = &'a ReportGap>) -> Vec<ReportGap> {
    let mut united: Vec<ReportGap> = Vec::new();
    for gap in gaps {
        match united.last_mut() {
            Some(last) if last.ended.is_none_or(|ended| gap.began < ended) => {
                last.ended = last.ended.zip(gap.ended).map(|(a, b)| a.max(b));
            }
            _ => united.push(*gap),
        }
    }
    united
}

impl GapView {
    fn of(gap: &ReportGap) -> Self {
        Self {
            from: timestamp(gap.began),
            to: gap.ended.and_then(timestamp),
        }
    }
}

/// Formats Unix seconds as RFC 3339 in UTC.
fn timestamp(seconds: i64) -> Option<String> {
    let time = Timestamp::from_second(seconds).ok()?;
    Some(time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_that_overlap_are_united() {
        let gap = |began, ended| ReportGap {
            id: 1,
            began,
            ended,
        };
        let spans = |gaps: &[ReportGap]| -> Vec<_> {
            let gaps = united(gaps).into_iter();
            gaps.map(|gap| (gap.began, gap.ended)).collect()
        };
        let gaps = [
            gap(0, Some(10)),
            gap(5, Some(8)),
            gap(9, Some(20)),
            gap(20, Some(30)),
        ];
        assert_eq!(spans(&gaps), [(0, Some(20)), (20, Some(30))]);
        let open = [gap(0, None), gap(5, Some(8))];
        assert_eq!(spans(&open), [(0, None)]);
    }
}
