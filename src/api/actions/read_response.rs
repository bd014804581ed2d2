//! Responds to reads, from the cache of rendered views if possible.

use super::action::Context;
use crate::api::errors::ApiError;
use crate::api::json::JsonPieces;
use crate::api::response::{ReadHead, Response};
use crate::api::tenant::ReadState;
use crate::api::views::{Rendered, Shown, ViewKey};

/// The view that a read requests, and the state that it shows.
pub(super) struct ReadView {
    pub(super) key: ViewKey,
    pub(super) shown: Shown,
    /// Whether rendering takes more than about a millisecond.
    pub(super) is_large: bool,
}

/// Responds to a read. `write` renders the fields that follow the head. It is not called if the
/// state is cached, or if the client already has it.
///
/// # Errors
/// Returns `overloaded` if rendering panics.
pub(super) async fn read_response(
    context: &Context<'_>,
    read: ReadState,
    view: ReadView,
    write: impl FnOnce(&mut JsonPieces) + Send + 'static,
) -> Result<Response, ApiError> {
    let ReadView {
        key,
        shown,
        is_large,
    } = view;
    let tags = context.if_none_match;
    let rendered = context.views.render(&key, shown, tags, is_large, write);
    let (fields, tag) = match rendered.await? {
        Rendered::Unchanged(tag) => return Ok(Response::not_modified(tag)),
        Rendered::Fields(fields, tag) => (fields, tag),
    };
    let head = ReadHead::new(context.action.name, context.tenant.request_id, read);
    let mut json = JsonPieces::default();
    json.raw("{");
    json.fields(&head);
    json.raw(",");
    for piece in &fields {
        json.part(piece);
    }
    json.raw("}");
    Ok(Response {
        entity_tag: tag.filter(|_| tags.is_some()),
        ..Response::success(json.finish())
    })
}
