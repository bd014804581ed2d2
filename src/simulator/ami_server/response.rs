//! Builds responses to actions.

use crate::simulator::headers::Headers;
use crate::simulator::pbx::ChangeResult;

/// Returns the first headers of a successful response.
pub(crate) fn success(action_id: Option<&str>) -> Headers {
    Headers::default()
        .with("Response", "Success")
        .with_optional("ActionID", action_id)
}

/// Returns a response with a `Message`.
pub(crate) fn message_response(result: ChangeResult, action_id: Option<&str>) -> String {
    match result {
        Ok(message) => success(action_id).with("Message", message).into_message(),
        Err(message) => error_response(message, action_id),
    }
}

pub(crate) fn error_response(message: &str, action_id: Option<&str>) -> String {
    Headers::default()
        .with("Response", "Error")
        .with_optional("ActionID", action_id)
        .with("Message", message)
        .into_message()
}

/// Returns a list: the response, the items, and the event that completes the list.
pub(crate) fn list_response(
    action_id: Option<&str>,
    title: &str,
    complete_event: &str,
    items: &[String],
) -> String {
    let start = success(action_id)
        .with("EventList", "start")
        .with("Message", format!("{title} will follow"));
    let complete = Headers::default()
        .with("Event", complete_event)
        .with_optional("ActionID", action_id)
        .with("EventList", "Complete")
        .with("ListItems", items.len());
    let (start, complete) = (start.into_message(), complete.into_message());
    format!("{start}{}{complete}", items.concat())
}
