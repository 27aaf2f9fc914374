//! The user interface of Lanes, rendered on the server and brought to life in the browser.
