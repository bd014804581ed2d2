//! `showreport`: shows the day's work of agents and queues. Needs no PBX.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tokio::time::timeout_at;

use super::action::{Action, Command, Context, LoggedParameters, ParseResult};
use crate::api::errors::ApiError;
use crate::api::form::{Form, invalid};
use crate::api::parameters;
use crate::api::refusal::{report_unavailable, too_many_reports, unknown_queue};
use crate::api::reports::{ReportFormat, ReportRequest, report};
use crate::api::response::{BodyFormat, Response};
use crate::organizations::Account;
use crate::report::{Days, GroupKey, Grouping};

/// Maximum number of days in a report, about ten years.
const MAX_DAYS: i64 = 3660;

pub(super) static SHOW_REPORT: Action = Action {
    name: "showreport",
    is_change: false,
    needs_permission: true,
    parse: ShowReport::parse,
};

#[derive(Debug)]
struct ShowReport {
    /// `None` means today.
    from: Option<Date>,
    /// `None` means today.
    to: Option<Date>,
    by: Grouping,
    format: ReportFormat,
    agents: Option<Vec<String>>,
    queues: Option<Vec<String>>,
}

impl ShowReport {
    fn parse(form: &Form, account: &Account) -> ParseResult {
        Ok(Box::new(Self {
            from: date(form, "from")?,
            to: date(form, "to")?,
            by: grouping(form)?,
            format: format(form)?,
            agents: match form.get("agent") {
                None => None,
                Some(_) => Some(parameters::agents(form, account)?),
            },
            queues: parameters::queues(form)?,
        }))
    }

    /// Checks that the agents and the queues are the account's, and determines the days.
    fn request(&self, context: &Context<'_>) -> Result<ReportRequest, ApiError> {
        let tenant = &context.tenant;
        let account = tenant.account;
        let zone = &account.organization.time_zone.zone;
        let now = Timestamp::from_millisecond(context.arrived_at).unwrap_or_default();
        let today = zone.to_datetime(now).date();
        let (from, to) = (self.from.unwrap_or(today), self.to.unwrap_or(today));
        let days = days(from, to, zone)?;
        for agent in self.agents.iter().flatten() {
            tenant.interface(agent)?;
        }
        let mut unlisted_queues = Vec::new();
        for queue in self.queues.iter().flatten() {
            let number = account.canonical_number(queue);
            let number = number.ok_or_else(|| unknown_queue(queue))?;
            let name = tenant.pbx_name(&number);
            if tenant.pbx.spelling_of(&name).is_none() {
                unlisted_queues.push(number);
            }
        }
        Ok(ReportRequest {
            action: context.action.name,
            request_id: tenant.request_id.to_owned(),
            account: Arc::clone(account),
            from,
            to,
            days,
            by: self.by.clone(),
            agents: self.agents.clone(),
            queues: self.queues.clone(),
            unlisted_queues,
            format: self.format,
        })
    }

    async fn respond(&self, context: Context<'_>) -> Result<Response, ApiError> {
        let request = self.request(&context)?;
        let now = context.arrived_at.div_euclid(1000);
        let pbx = &context.tenant.account.organization.pbx;
        let permit = timeout_at(context.tenant.deadline, context.recordings.permit()).await;
        let permit = permit.map_err(|_| too_many_reports())?;
        let read = context
            .recordings
            .read(permit, pbx, move |reader| report(&request, reader, now));
        let body = read.await.map_err(|_| report_unavailable())?;
        let body = body.map_err(|unknown| unknown_queue(&unknown.0))?;
        Ok(Response {
            format: match self.format {
                ReportFormat::Json => BodyFormat::Json,
                ReportFormat::Csv => BodyFormat::Csv,
            },
            ..Response::success(body)
        })
    }
}

impl Command for ShowReport {
    fn logged(&self) -> LoggedParameters {
        LoggedParameters {
            agents: self.agents.clone().unwrap_or_default(),
            queues: self.queues.clone(),
            ..LoggedParameters::default()
        }
    }

    fn run<'a>(&'a self, context: Context<'a>) -> BoxFuture<'a, Result<Response, ApiError>> {
        self.respond(context).boxed()
    }
}

/// Returns the days from `from` to `to`, both included.
fn days(from: Date, to: Date, zone: &TimeZone) -> Result<Days, ApiError> {
    if from > to {
        return Err(invalid("from", "is after the parameter to"));
    }
    let length = from.duration_until(to).as_hours() / 24 + 1;
    if length > MAX_DAYS {
        let problem = format!("makes the report longer than {MAX_DAYS} days");
        return Err(invalid("to", &problem));
    }
    Days::new(from, to, zone).ok_or_else(|| invalid("to", "is beyond the calendar"))
}

/// Parses a date such as `2026-11-29`.
fn date(form: &Form, name: &str) -> Result<Option<Date>, ApiError> {
    let Some(text) = form.get(name) else {
        return Ok(None);
    };
    let date = text.parse::<Date>().ok();
    // jiff also accepts other formats, and years with a sign.
    let date = date.filter(|date| date.year() >= 0 && date.to_string() == text);
    let date = date.ok_or_else(|| invalid(name, "must be a date such as 2026-11-29"))?;
    Ok(Some(date))
}

fn grouping(form: &Form) -> Result<Grouping, ApiError> {
    let Some(text) = form.get("by") else {
        return Ok(Grouping::new([GroupKey::Agent]));
    };
    let keys = text.split(',').map(str::parse);
    let keys: Result<Vec<GroupKey>, ()> = keys.collect();
    let keys = keys.map_err(|()| {
        let problem =
            "must be agent, queue, reason or day, or several of them, separated by commas";
        invalid("by", problem)
    })?;
    Ok(Grouping::new(keys))
}

fn format(form: &Form) -> Result<ReportFormat, ApiError> {
    match form.get("format") {
        None | Some("json") => Ok(ReportFormat::Json),
        Some("csv") => Ok(ReportFormat::Csv),
        Some(_) => Err(invalid("format", "must be json or csv")),
    }
}
