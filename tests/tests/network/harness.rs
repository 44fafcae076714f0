//! A world of networks: a server, a router that can be told to fail, and hosts behind it.

pub mod agent;
pub mod connect_proxy;
pub mod interceptor;
pub mod listener;
pub mod name_server;
pub mod namespace;
pub mod operator;
pub mod router;
pub mod world;
