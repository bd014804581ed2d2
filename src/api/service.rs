//! Handles an API request, from its parameters to its response and its log line.
//!
//! The order of the checks is part of the contract: the form; lockout and credentials; the
//! account's actions and networks; the action's parameters; the account's agents and
//! queues; and finally the PBX.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tracing::info;

use super::accounts::{Accounts, check_rights};
use super::actions::{Context, EVENTS_ACTION, LoggedParameters, requested_action};
use super::audit::{AuditFields, AuditRow, AuditedRequest};
use super::credentials::Credentials;
use super::errors::{ApiError, Code};
use super::events::{EventStream, StreamPosition, StreamView, StreamViews};
use super::form::{Form, LAST_EVENT_ID};
use super::json::MemberJsonCache;
use super::parameters;
use super::refusal::no_change_sent;
use super::request::ApiRequest;
use super::response::Response;
use super::tenant::Tenant;
use super::tickets;
use super::views::ViewCache;
use crate::ami::with_change_flag;
use crate::organizations::{Account, Directory, Organization};
use crate::queues::{Pbx, Pbxes};
use crate::report::Recordings;

/// The action of ticket requests in the log and the metrics.
const TICKET_ACTION: &str = "ticket";

/// The API. Created anew when the configuration is reloaded.
#[derive(Debug)]
pub struct Api {
    accounts: Accounts,
    pbxes: Arc<Pbxes>,
    member_json: Arc<MemberJsonCache>,
    views: ViewCache,
    stream_views: Arc<StreamViews>,
    recordings: Arc<Recordings>,
    reject_unknown_parameters: bool,
}

/// The log fields of a request. Each is set as soon as it is known.
#[derive(Default)]
struct LogFields {
    account: Option<Arc<Account>>,
    action_name: Option<&'static str>,
    /// Set after the parameters have been checked, so that a password typed into the wrong
    /// field is not logged.
    parameters: LoggedParameters,
    /// Set together with `parameters`.
    is_change: bool,
    is_authenticated: bool,
}

impl LogFields {
    /// Returns the queues as the request names them.
    fn queues(&self) -> Option<String> {
        let queues = self.parameters.queues.as_ref();
        queues.map(|queues| queues.join(","))
    }
}

impl Api {
    /// Creates the API.
    #[must_use]
    pub fn new(
        accounts: Accounts,
        pbxes: Arc<Pbxes>,
        member_json: Arc<MemberJsonCache>,
        stream_views: Arc<StreamViews>,
        recordings: Arc<Recordings>,
        reject_unknown_parameters: bool,
    ) -> Self {
        Self {
            accounts,
            pbxes,
            member_json,
            views: ViewCache::new(),
            stream_views,
            recordings,
            reject_unknown_parameters,
        }
    }

    /// The organizations and their accounts.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.accounts.directory
    }

    /// Serves a request and logs it.
    pub async fn serve(&self, request: ApiRequest) -> Response {
        let mut log_fields = LogFields::default();
        let result = self.run_action(&request, &mut log_fields).await;
        let response = self.finish(&request, &log_fields, result);
        log_change(&request, &log_fields, &response.change.rows).await;
        response
    }

    /// Issues a ticket for an event stream and logs the request.
    pub async fn issue_ticket(&self, request: ApiRequest) -> Response {
        let mut log_fields = LogFields::default();
        let result = self.try_issue_ticket(&request, &mut log_fields).await;
        self.finish(&request, &log_fields, result)
    }

    /// Opens an event stream and logs the request. `last_event_id` is the `Last-Event-ID`
    /// header. It takes precedence over the parameter `lastEventId`.
    ///
    /// # Errors
    /// Returns the error response to send instead of a stream.
    pub async fn open_stream(
        &self,
        request: ApiRequest,
        last_event_id: Option<&str>,
    ) -> Result<EventStream, Response> {
        let mut log_fields = LogFields::default();
        let opened = self.try_open_stream(&request, last_event_id, &mut log_fields);
        match opened.await {
            Ok(events) => {
                self.finish(&request, &log_fields, Ok(Response::success(Vec::new())));
                Ok(events)
            }
            Err(error) => Err(self.finish(&request, &log_fields, Err(error))),
        }
    }

    async fn run_action(
        &self,
        request: &ApiRequest,
        log_fields: &mut LogFields,
    ) -> Result<Response, ApiError> {
        let form = Form::parse(&request.form_parts(), self.reject_unknown_parameters)?;
        let credentials = Credentials::from_request(&form, request.authorization.as_deref())?;
        let action = requested_action(&form)?;
        log_fields.action_name = Some(action.name);
        let account = self.authorize(credentials, action.permission(), request, log_fields);
        let account = account.await?;

        let command = (action.parse)(&form, &account)?;
        log_fields.parameters = command.logged();
        log_fields.is_change = action.is_change;
        let pbx = self.pbx(&account.organization);
        let context = Context {
            action,
            tenant: Tenant {
                account: &account,
                pbx,
                deadline: request.arrived + pbx.action_timeout(),
                request_id: &request.request_id,
            },
            arrived_at: request.arrived_at,
            member_json: &self.member_json,
            views: &self.views,
            if_none_match: request.if_none_match.as_deref(),
            recordings: &self.recordings,
        };
        let run = with_change_flag(Arc::clone(&request.change_sent), command.run(context));
        run.await.map_err(|error| {
            let sent = request.change_sent.load(Ordering::Acquire);
            match error.code {
                Code::OutcomeUnknown if action.is_change && !sent => no_change_sent(),
                _ => error,
            }
        })
    }

    async fn try_issue_ticket(
        &self,
        request: &ApiRequest,
        log_fields: &mut LogFields,
    ) -> Result<Response, ApiError> {
        let parts = request.form_parts();
        let form = Form::parse_ticket_request(&parts, self.reject_unknown_parameters)?;
        let credentials = Credentials::from_request(&form, request.authorization.as_deref())?;
        log_fields.action_name = Some(TICKET_ACTION);
        let account = self.authorize(credentials, Some(EVENTS_ACTION), request, log_fields);
        let account = account.await?;
        // Otherwise, a client could assume that the ticket is limited to an agent or a queue.
        parameters::reject_unused(&form, "agent")?;
        parameters::reject_unused(&form, "queue")?;
        tickets::issue(&self.accounts.tickets, &account, &request.request_id)
    }

    async fn try_open_stream(
        &self,
        request: &ApiRequest,
        last_event_id: Option<&str>,
        log_fields: &mut LogFields,
    ) -> Result<EventStream, ApiError> {
        let query = request.query.as_deref().unwrap_or_default();
        let form = Form::parse_events(query, self.reject_unknown_parameters)?;
        let account = self.authorize_stream(&form, request, log_fields).await?;

        parameters::reject_agent(&form)?;
        let queues = parameters::queues(&form)?;
        log_fields.parameters.queues.clone_from(&queues);
        let pbx = self.pbx(&account.organization);
        let member_json = Arc::clone(&self.member_json);
        let view = StreamView::new(pbx, member_json, account, queues, &request.request_id);
        let last_event_id = last_event_id.or_else(|| form.get(LAST_EVENT_ID));
        // The stream starts with a snapshot if the id is invalid or missing.
        let position = last_event_id.and_then(|id| id.parse::<StreamPosition>().ok());
        EventStream::open(&self.stream_views, view, position).await
    }

    /// Identifies the account by the request's ticket or credentials, and checks that it may
    /// open event streams.
    async fn authorize_stream(
        &self,
        form: &Form,
        request: &ApiRequest,
        log_fields: &mut LogFields,
    ) -> Result<Arc<Account>, ApiError> {
        let authorization = request.authorization.as_deref();
        let Some(ticket) = tickets::from_request(form, authorization)? else {
            let credentials = Credentials::from_request(form, authorization)?;
            log_fields.action_name = Some(EVENTS_ACTION);
            let account = self.authorize(credentials, Some(EVENTS_ACTION), request, log_fields);
            return account.await;
        };
        log_fields.action_name = Some(EVENTS_ACTION);
        let account = tickets::take(&self.accounts.tickets, ticket)?;
        log_fields.account = Some(Arc::clone(&account));
        // The ticket may have been requested from another address.
        check_rights(&account, Some(EVENTS_ACTION), request.address)?;
        log_fields.is_authenticated = true;
        Ok(account)
    }

    /// Authenticates the account and checks that it has the permission, if one is needed.
    async fn authorize(
        &self,
        credentials: Option<Credentials>,
        permission: Option<&str>,
        request: &ApiRequest,
        log_fields: &mut LogFields,
    ) -> Result<Arc<Account>, ApiError> {
        let credentials = credentials.ok_or_else(ApiError::unauthorized)?;
        log_fields.account = self.accounts.claimed_account(&credentials);
        let authorized = self
            .accounts
            .authorize(&credentials, permission, request.address);
        let account = authorized.await?;
        log_fields.is_authenticated = true;
        Ok(account)
    }

    fn pbx(&self, organization: &Organization) -> &Pbx {
        match self.pbxes.get(&organization.pbx) {
            Some(pbx) => pbx,
            None => unreachable!("validation rejects organizations with an unknown PBX"),
        }
    }

    /// Builds the response to a request, counts it and logs it.
    fn finish(
        &self,
        request: &ApiRequest,
        log_fields: &LogFields,
        result: Result<Response, ApiError>,
    ) -> Response {
        let response = result.unwrap_or_else(|error| {
            let response = Response::error(&error, &request.request_id);
            if log_fields.is_change {
                let agents = &log_fields.parameters.agents;
                return response.with_change(AuditFields::refused(agents, error.code));
            }
            response
        });
        let response = Response {
            is_authenticated: log_fields.is_authenticated,
            ..response
        };
        self.count_and_log(request, log_fields, &response);
        response
    }

    fn count_and_log(&self, request: &ApiRequest, log_fields: &LogFields, response: &Response) {
        let seconds = request.arrived.elapsed().as_secs_f64();
        let metrics = &self.accounts.metrics;
        metrics.count(log_fields.action_name, response.outcome, seconds);
        metrics.count_unknown(response.change.unknown_outcomes);
        log(request, log_fields, response, seconds);
    }
}

/// Writes the log line of a request.
fn log(request: &ApiRequest, log_fields: &LogFields, response: &Response, seconds: f64) {
    let account = log_fields.account.as_deref();
    let LoggedParameters { agents, .. } = &log_fields.parameters;
    let agents = (!agents.is_empty()).then(|| agents.join(","));
    info!(
        target: "ami_bridge::request",
        request_id = request.request_id,
        client = %request.address,
        pbx = account.map(|account| &*account.organization.pbx),
        organization = account.map(|account| &*account.organization.name),
        user = account.map(|account| &*account.name),
        action = log_fields.action_name,
        agent = agents,
        queue = log_fields.queues(),
        outcome = response.outcome,
        status = response.status,
        ms = (seconds * 100_000.0).round() / 100.0,
        "request"
    );
}

/// Writes the audit log lines of a change.
async fn log_change(request: &ApiRequest, log_fields: &LogFields, rows: &[AuditRow]) {
    let parameters = &log_fields.parameters;
    let queues = log_fields.queues();
    let audited = AuditedRequest {
        request_id: &request.request_id,
        client: request.address,
        account: log_fields.account.as_deref(),
        action: log_fields.action_name,
        queues: queues.as_deref(),
        reason: parameters.reason.as_deref(),
        duration_seconds: parameters.duration_seconds,
    };
    audited.log(rows).await;
}
