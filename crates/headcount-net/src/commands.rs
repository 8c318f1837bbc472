//! The engine's commands, each a task until its one reply.

use std::{collections::BTreeMap, sync::Arc};

use headcount_engine::{Command, CommandId, Reply, Told};
use hickory_resolver::TokioResolver;
use tokio::task::{Id, JoinError, JoinSet};

use crate::{
    EchoSocket, NetError, Resolver,
    converse::Conversations,
    exchange::{self, Echoes},
    resolve,
};

/// The commands in flight. Dropping it ends them all.
pub(crate) struct Commands {
    tasks: JoinSet<Reply>,
    /// Which command a task runs.
    ids: BTreeMap<Id, CommandId>,
    conversations: Conversations,
    /// Tasks that never end by themselves.
    listeners: JoinSet<()>,
    resolver: Lazy<Resolver, TokioResolver>,
    echo: Lazy<Option<EchoSocket>, Arc<Echoes>>,
    neighbours: Lazy<(), rtnetlink::Handle>,
    warnings: Vec<String>,
    lookups: u64,
}

/// What came of a command.
pub(crate) enum Ended {
    /// It ended.
    Command(CommandId, Reply),
    /// Its conversation tells something.
    Told(CommandId, Told),
}

/// Something that is set up when it is first needed.
enum Lazy<S, R> {
    Waiting(S),
    Ready(R),
    Absent,
}

impl<S, R: Clone> Lazy<S, R> {
    fn get(&mut self, start: impl FnOnce(S) -> Result<R, String>) -> Result<Option<R>, String> {
        match std::mem::replace(self, Self::Absent) {
            Self::Waiting(seed) => {
                let ready = start(seed)?;
                *self = Self::Ready(ready.clone());
                Ok(Some(ready))
            }
            Self::Ready(ready) => {
                *self = Self::Ready(ready.clone());
                Ok(Some(ready))
            }
            Self::Absent => Ok(None),
        }
    }
}

impl Commands {
    pub(crate) fn new(resolver: Option<Resolver>, echo: Option<EchoSocket>) -> Self {
        Self {
            tasks: JoinSet::new(),
            ids: BTreeMap::new(),
            conversations: Conversations::new(),
            listeners: JoinSet::new(),
            resolver: resolver.map_or(Lazy::Absent, Lazy::Waiting),
            echo: Lazy::Waiting(echo),
            neighbours: Lazy::Waiting(()),
            warnings: Vec::new(),
            lookups: 0,
        }
    }

    /// Starts a command.
    pub(crate) fn start(&mut self, command: Command) {
        let (id, task) = match command {
            Command::Converse { id, to, carrier, tls, timeout } => {
                return self.conversations.begin(id, to, carrier, tls, timeout);
            }
            Command::Gather { id, source, to, join, payload, window, .. } => {
                return self.conversations.gather(id, source, (to, join), payload, window);
            }
            Command::Send { id, bytes } => return self.conversations.say(id, bytes),
            Command::HangUp { id } => return self.conversations.hang_up(id),
            Command::Connect { id, to, timeout } => (id, self.tasks.spawn(exchange::connect(to, timeout))),
            Command::Datagram { id, to, payload, timeout } => {
                let task = async move { exchange::datagram(to, &payload, timeout).await };
                (id, self.tasks.spawn(task))
            }
            Command::Echo { id, to, timeout } => {
                let echoes = self.echoes();
                let ask = async move {
                    match echoes {
                        Some(echoes) => echoes.ask(to, timeout).await,
                        None => Reply::Prohibited,
                    }
                };
                (id, self.tasks.spawn(ask))
            }
            Command::ReadNeighbours { id, interface } => {
                let handle = self.neighbour_table();
                (id, self.tasks.spawn(read_neighbours(handle, interface)))
            }
            Command::Resolve { id, address } => {
                let resolver = self.resolver();
                let ask = async move {
                    match resolver {
                        Some(resolver) => Reply::Names(resolve::names_of(&resolver, address).await),
                        None => Reply::Names(Vec::new()),
                    }
                };
                (id, self.tasks.spawn(ask))
            }
        };
        self.ids.insert(task.id(), id);
    }

    /// The next command that has ended, or the next thing that a conversation tells.
    pub(crate) async fn next(&mut self) -> Option<Ended> {
        tokio::select! {
            Some(ended) = self.tasks.join_next_with_id() => {
                self.reply(ended).map(|(id, reply)| Ended::Command(id, reply))
            }
            Some((id, told)) = self.conversations.next() => Some(Ended::Told(id, told)),
        }
    }

    /// The same, of what has happened already.
    pub(crate) fn try_next(&mut self) -> Option<Ended> {
        if let Some(ended) = self.tasks.try_join_next_with_id() {
            return self.reply(ended).map(|(id, reply)| Ended::Command(id, reply));
        }
        self.conversations.try_next().map(|(id, told)| Ended::Told(id, told))
    }

    fn reply(&mut self, ended: Result<(Id, Reply), JoinError>) -> Option<(CommandId, Reply)> {
        // A task that died could not ask; its command still gets its reply.
        let (task, reply) = ended.unwrap_or_else(|error| (error.id(), Reply::NotSent));
        self.ids.remove(&task).map(|id| (id, reply))
    }

    fn resolver(&mut self) -> Option<TokioResolver> {
        let started = self.resolver.get(|seed| seed.start(false).map_err(|error| error.to_string()));
        let resolver = self.told("names are not looked up", started);
        self.lookups += u64::from(resolver.is_some());
        resolver
    }

    fn echoes(&mut self) -> Option<Arc<Echoes>> {
        let listeners = &mut self.listeners;
        let started = self.echo.get(|socket| {
            let socket = socket.map_or_else(EchoSocket::open, Ok).map_err(|error| error.to_string())?;
            let echoes = Echoes::start(socket).map_err(|error| error.to_string())?;
            let listener = Arc::clone(&echoes);
            listeners.spawn(async move { listener.listen().await });
            Ok(echoes)
        });
        self.told("no echo requests can be sent by the kernel", started)
    }

    fn neighbour_table(&mut self) -> Option<rtnetlink::Handle> {
        let started = self.neighbours.get(|()| crate::netlink::connect().map_err(|error| error.to_string()));
        self.told("the neighbour table cannot be read", started)
    }

    fn told<R>(&mut self, lost: &str, started: Result<Option<R>, String>) -> Option<R> {
        started.unwrap_or_else(|cause| {
            self.warnings.push(format!("{lost}: {cause}"));
            None
        })
    }

    /// The warnings since the last call.
    pub(crate) fn warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// Reverse look-ups made.
    pub(crate) fn lookups(&self) -> u64 {
        self.lookups
    }
}

async fn read_neighbours(handle: Option<rtnetlink::Handle>, interface: String) -> Reply {
    let read = async {
        let index = crate::sys::interface_index(&interface)
            .map_err(|error| NetError::system(format!("find interface {interface}"), error))?;
        match handle {
            Some(handle) => crate::netlink::neighbours(&handle, index).await,
            None => Ok(Vec::new()),
        }
    };
    match read.await {
        Ok(neighbours) => Reply::Neighbours(neighbours),
        Err(error) => {
            // Asking again would fail again, so this is no `NotSent`.
            tracing::warn!("{error}");
            Reply::Neighbours(Vec::new())
        }
    }
}
