//! Who may do and see what. The tests ask for every action that the program has, so that a new
//! action is tested without a change here.

mod matrix;
mod scene;
mod secrecy;
mod sent_actions;
mod usage;
