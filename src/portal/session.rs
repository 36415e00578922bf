//! Sessions: who is signed in, for how long, and the token without which nothing is changed.
//!
//! They are in memory alone, under the hash of what the browser's cookie says, and each is bound to
//! the API key that opened it: when that key is revoked, or may no longer manage, the session is
//! over with the next request.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::{escape::hex, store::Secret};

/// How many sessions one user has at most; a further one ends the one that was unused for longest.
const PER_USER: usize = 16;
/// How many there are of all users.
const ALL: usize = 4_096;

/// The key that a session was opened with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Opener {
    /// Whose key it is.
    pub(super) owner: String,
    /// What the owner calls it.
    pub(super) key_id: String,
    /// Its hash: a key of the same name that came later is another key.
    pub(super) sha256: [u8; 32],
}

/// What a request knows of the session that it belongs to.
#[derive(Clone)]
pub(super) struct Session {
    pub(super) opener: Opener,
    /// Under what it is kept. Not the cookie's value.
    pub(super) place: [u8; 32],
    csrf: String,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("opener", &self.opener).finish_non_exhaustive()
    }
}

impl Session {
    /// What every form of this session holds.
    pub(super) fn csrf(&self) -> &str {
        &self.csrf
    }

    /// Whether this is what every form of this session holds.
    pub(super) fn is_csrf(&self, text: &str) -> bool {
        bool::from(self.csrf.as_bytes().ct_eq(text.as_bytes()))
    }
}

/// How many secrets a session holds that are entered and not saved yet.
const HELD: usize = 4;
/// For how long it holds them.
const HELD_FOR: Duration = Duration::from_secs(15 * 60);

struct Kept {
    session: Session,
    began: Instant,
    used: Instant,
    /// What the next page says that was done.
    said: Option<String>,
    /// Secrets that were entered in a form that was not saved yet, so that no page has to hold them.
    held: Vec<(String, Secret, Instant)>,
}

/// All sessions of a portal.
pub(super) struct Sessions {
    kept: Mutex<HashMap<[u8; 32], Kept>>,
    idle: Duration,
    longest: Duration,
}

impl Sessions {
    /// None yet. They end when they are unused for `idle`, and in any case after `longest`.
    pub(super) fn new(idle: Duration, longest: Duration) -> Self {
        Self { kept: Mutex::default(), idle, longest }
    }

    /// Begins a session and says what its cookie is.
    ///
    /// # Errors
    ///
    /// The system gives no random bytes.
    pub(super) fn begin(&self, opener: Opener) -> Result<(String, Session), getrandom::Error> {
        let cookie = token()?;
        let session = Session { opener, place: place(&cookie), csrf: token()? };
        let now = Instant::now();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, kept| self.is_alive(kept, now));
        let own = |kept: &Kept| kept.session.opener.owner == session.opener.owner;
        if kept.values().filter(|kept| own(kept)).count() >= PER_USER {
            remove_oldest(&mut kept, own);
        }
        if kept.len() >= ALL {
            remove_oldest(&mut kept, |_| true);
        }
        let new =
            Kept { session: session.clone(), began: now, used: now, said: None, held: Vec::new() };
        kept.insert(session.place, new);
        Ok((cookie, session))
    }

    /// The session of this cookie, which is used by that. `is_open` says whether the key that opened
    /// it is still one; if it is not, the session ends.
    pub(super) fn find(
        &self,
        cookie: &str,
        is_open: impl FnOnce(&Opener) -> bool,
    ) -> Option<Session> {
        let now = Instant::now();
        let place = place(cookie);
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = all.get_mut(&place)?;
        if !self.is_alive(kept, now) || !is_open(&kept.session.opener) {
            all.remove(&place);
            return None;
        }
        kept.used = now;
        Some(kept.session.clone())
    }

    /// Ends a session.
    pub(super) fn end(&self, session: &Session) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(&session.place);
    }

    /// Lets go of sessions that are over, and of secrets that were not saved for long.
    pub(super) fn sweep(&self) {
        let now = Instant::now();
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, kept| self.is_alive(kept, now));
        for kept in all.values_mut() {
            kept.held.retain(|(_, _, since)| now.saturating_duration_since(*since) < HELD_FOR);
        }
    }

    /// Has the session's next page say what was done.
    pub(super) fn say(&self, session: &Session, said: String) {
        self.with(session, |kept| kept.said = Some(said));
    }

    /// What the session's next page says was done.
    pub(super) fn take_said(&self, session: &Session) -> Option<String> {
        self.with(session, |kept| kept.said.take()).flatten()
    }

    /// Holds a secret until its form is saved. Returns a name for it, for the form.
    ///
    /// # Errors
    ///
    /// The system gives no random bytes.
    pub(super) fn hold(
        &self,
        session: &Session,
        secret: Secret,
    ) -> Result<String, getrandom::Error> {
        let name = token()?;
        self.with(session, |kept| {
            if kept.held.len() >= HELD {
                kept.held.remove(0);
            }
            kept.held.push((name.clone(), secret, Instant::now()));
        });
        Ok(name)
    }

    /// The secret of this name.
    pub(super) fn held(&self, session: &Session, name: &str) -> Option<Secret> {
        self.with(session, |kept| {
            let held = kept.held.iter().find(|(known, _, _)| known == name);
            held.filter(|(_, _, since)| since.elapsed() < HELD_FOR)
                .map(|(_, secret, _)| secret.clone())
        })
        .flatten()
    }

    /// Lets go of the secret of this name.
    pub(super) fn let_go(&self, session: &Session, name: &str) {
        self.with(session, |kept| kept.held.retain(|(known, _, _)| known != name));
    }

    fn with<T>(&self, session: &Session, work: impl FnOnce(&mut Kept) -> T) -> Option<T> {
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        all.get_mut(&session.place).map(work)
    }

    fn is_alive(&self, kept: &Kept, now: Instant) -> bool {
        now.saturating_duration_since(kept.used) < self.idle
            && now.saturating_duration_since(kept.began) < self.longest
    }
}

fn remove_oldest(kept: &mut HashMap<[u8; 32], Kept>, of: impl Fn(&Kept) -> bool) {
    let oldest = kept.iter().filter(|(_, kept)| of(kept)).min_by_key(|(_, kept)| kept.used);
    if let Some(place) = oldest.map(|(place, _)| *place) {
        kept.remove(&place);
    }
}

/// The hash of a cookie: what is in memory opens nothing, and looking it up tells nothing.
fn place(cookie: &str) -> [u8; 32] {
    Sha256::digest(cookie.as_bytes()).into()
}

/// 256 random bits, as 64 hexadecimal digits.
///
/// # Errors
///
/// The system gives no random bytes.
pub(super) fn token() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(hex(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opener(owner: &str) -> Opener {
        Opener { owner: owner.to_owned(), key_id: "laptop".to_owned(), sha256: [7; 32] }
    }

    #[test]
    fn a_session_ends_with_its_time_and_with_its_key() {
        let sessions = Sessions::new(Duration::from_secs(60), Duration::from_secs(600));
        let (cookie, session) = sessions.begin(opener("ana")).unwrap();
        assert_eq!(cookie.len(), 64);
        assert!(
            session.is_csrf(session.csrf()) && !session.is_csrf("") && !session.is_csrf(&cookie)
        );
        assert!(sessions.find(&cookie, |opener| opener.owner == "ana").is_some());
        assert!(sessions.find("", |_| true).is_none());
        // Its key is gone: so is the session, also when there is such a key again.
        assert!(sessions.find(&cookie, |_| false).is_none());
        assert!(sessions.find(&cookie, |_| true).is_none());

        let (cookie, session) = sessions.begin(opener("ana")).unwrap();
        sessions.end(&session);
        assert!(sessions.find(&cookie, |_| true).is_none());

        for (idle, longest) in [(0, 600), (600, 0)] {
            let sessions = Sessions::new(Duration::from_secs(idle), Duration::from_secs(longest));
            let (cookie, _) = sessions.begin(opener("ana")).unwrap();
            assert!(sessions.find(&cookie, |_| true).is_none(), "{idle} {longest}");
        }
    }

    #[test]
    fn one_user_does_not_take_all_places() {
        let sessions = Sessions::new(Duration::from_secs(60), Duration::from_secs(600));
        let (bobs, _) = sessions.begin(opener("bob")).unwrap();
        let cookies: Vec<_> =
            (0..=PER_USER).map(|_| sessions.begin(opener("ana")).unwrap().0).collect();
        assert!(sessions.find(&cookies[0], |_| true).is_none());
        assert!(sessions.find(&cookies[1], |_| true).is_some());
        assert!(sessions.find(&bobs, |_| true).is_some());
    }

    #[test]
    fn a_secret_is_held_for_its_own_session_alone() {
        let sessions = Sessions::new(Duration::from_secs(60), Duration::from_secs(600));
        let (_, ana) = sessions.begin(opener("ana")).unwrap();
        let (_, bob) = sessions.begin(opener("bob")).unwrap();
        let name = sessions.hold(&ana, Secret::new("AKIA", "secret")).unwrap();
        assert!(sessions.held(&bob, &name).is_none() && sessions.held(&ana, "").is_none());
        assert_eq!(*sessions.held(&ana, &name).unwrap().secret_access_key, "secret");
        for _ in 0..HELD {
            sessions.hold(&ana, Secret::new("other", "other")).unwrap();
        }
        assert!(sessions.held(&ana, &name).is_none());
        let name = sessions.hold(&ana, Secret::new("AKIA", "secret")).unwrap();
        sessions.let_go(&ana, &name);
        assert!(sessions.held(&ana, &name).is_none());
        let name = sessions.hold(&ana, Secret::new("AKIA", "secret")).unwrap();
        sessions.end(&ana);
        assert!(sessions.held(&ana, &name).is_none());
    }

    #[test]
    fn debug_shows_no_token() {
        let sessions = Sessions::new(Duration::from_secs(60), Duration::from_secs(600));
        let (cookie, session) = sessions.begin(opener("ana")).unwrap();
        let shown = format!("{session:?}");
        assert!(!shown.contains(session.csrf()) && !shown.contains(&cookie), "{shown}");
    }
}
