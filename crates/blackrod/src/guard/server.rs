//! Listening, and a task for each connection.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinHandle;

use super::config::{Endpoint, Listen};
use super::session::{SessionError, serve};
use super::{Guard, metrics};

/// Places that are listened on, before anybody is served.
pub(super) struct Doors {
    milter: Vec<(Endpoint, Bound)>,
    metrics: Option<std::net::TcpListener>,
}

enum Bound {
    Tcp(std::net::TcpListener),
    Unix(std::os::unix::net::UnixListener),
}

enum Door {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// The tasks that accept connections.
pub(super) struct Listening {
    pub(super) places: String,
    tasks: Vec<JoinHandle<()>>,
}

impl Doors {
    /// Takes the places. Needs no runtime, so that it can be done before anything else is started.
    pub(super) fn open(listen: &Listen) -> anyhow::Result<Self> {
        let mut milter = Vec::new();
        for endpoint in &listen.milter {
            let bound = bind(endpoint).with_context(|| format!("cannot listen on {endpoint}"))?;
            milter.push((endpoint.clone(), bound));
        }
        let metrics = listen
            .metrics
            .map(|address| bind_tcp(&address).with_context(|| format!("cannot listen on {address}")));
        Ok(Self {
            milter,
            metrics: metrics.transpose()?,
        })
    }

    pub(super) fn serve(self, guard: &Arc<Guard>) -> io::Result<Listening> {
        let mut places = Vec::new();
        let mut tasks = Vec::new();
        for (endpoint, bound) in self.milter {
            let door = match bound {
                Bound::Tcp(listener) => Door::Tcp(TcpListener::from_std(listener)?),
                Bound::Unix(listener) => Door::Unix(UnixListener::from_std(listener)?),
            };
            let place = match &door {
                Door::Tcp(listener) => listener
                    .local_addr()
                    .map_or_else(|_| endpoint.to_string(), |at| at.to_string()),
                Door::Unix(_) => endpoint.to_string(),
            };
            places.push(place);
            tasks.push(tokio::spawn(accept(door, Arc::clone(guard))));
        }
        if let Some(listener) = self.metrics {
            let listener = TcpListener::from_std(listener)?;
            let routes = metrics::routes(Arc::clone(&guard.metrics));
            tasks.push(tokio::spawn(async move {
                if let Err(error) = axum::serve(listener, routes).await {
                    eprintln!("blackrod guard: metrics are no longer served: {error}");
                }
            }));
        }
        Ok(Listening {
            places: places.join(", "),
            tasks,
        })
    }
}

impl Listening {
    /// Nobody else is let in.
    pub(super) fn stop(self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

fn bind(endpoint: &Endpoint) -> io::Result<Bound> {
    match endpoint {
        Endpoint::Tcp(address) => bind_tcp(address).map(Bound::Tcp),
        Endpoint::Unix(path) => {
            // Left behind by a guard that was killed; one that lives answers.
            if std::os::unix::net::UnixStream::connect(path).is_ok() {
                return Err(io::ErrorKind::AddrInUse.into());
            }
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let listener = std::os::unix::net::UnixListener::bind(path)?;
            listener.set_nonblocking(true)?;
            // The mail server's user reaches it through the group.
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
            Ok(Bound::Unix(listener))
        }
    }
}

fn bind_tcp(address: &std::net::SocketAddr) -> io::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

async fn accept(door: Door, guard: Arc<Guard>) {
    loop {
        let accepted = match &door {
            Door::Tcp(listener) => listener.accept().await.map(|(socket, _)| {
                // Without it an answer waits for the acknowledgement of the one before.
                let _ = socket.set_nodelay(true);
                spawn(socket, &guard);
            }),
            Door::Unix(listener) => listener.accept().await.map(|(socket, _)| spawn(socket, &guard)),
        };
        if accepted.is_err() {
            // Out of file descriptors, most likely: others end meanwhile.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn spawn<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(socket: S, guard: &Arc<Guard>) {
    let guard = Arc::clone(guard);
    tokio::spawn(async move {
        let metrics = Arc::clone(&guard.metrics);
        metrics.sessions.add(1);
        metrics.sessions_all.add(1);
        let (number, entry) = guard.registry.enter();
        let ended = tokio::select! {
            ended = serve(socket, Arc::clone(&guard), &entry) => ended,
            () = entry.leave.notified() => Err(SessionError::Idle),
        };
        guard.registry.leave(number);
        metrics.sessions.less(1);
        match ended {
            Err(SessionError::Idle) => metrics.sessions_closed_idle.add(1),
            Err(SessionError::Protocol(error)) => {
                metrics.protocol_errors.add(1);
                eprintln!("blackrod guard: a connection was closed: {error}");
            }
            // The mail server went away; it says why itself.
            Err(SessionError::Io(_)) | Ok(()) => {}
        }
    });
}
