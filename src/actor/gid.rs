//! The user behind an ActionCable connection's identifier.
//!
//! `identified_by :current_user` gives the unpadded URL-safe base64 of a GlobalID, `gid://app/Model/id`; several identifiers are
//! joined with `:`. Without GlobalID it is an `inspect`, which names nobody reliably.
//! Source: rails/rails `actioncable/lib/action_cable/connection/identification.rb`, rails/globalid `lib/global_id/global_id.rb`.

/// The user's id, if the identifier names one.
#[must_use]
pub fn user(identifier: &str) -> Option<String> {
    identifier.split(':').find_map(|part| {
        let decoded = String::from_utf8(decode(part)?).ok()?;
        let path = decoded.strip_prefix("gid://")?;
        let id = path.rsplit('/').next()?;
        let id = id.split('?').next()?;
        (!id.is_empty() && id.len() <= 64 && id.chars().all(|c| c.is_ascii_graphic())).then(|| id.to_owned())
    })
}

/// Whether the identifier names something that a user has several of: a session, a device. What tags call him is better then.
#[must_use]
pub fn is_of_device(identifier: &str) -> bool {
    const MODELS: [&str; 6] = ["session", "device", "token", "connection", "install", "login"];
    identifier.split(':').any(|part| {
        let decoded = decode(part).and_then(|decoded| String::from_utf8(decoded).ok()).unwrap_or_default();
        let mut path = decoded.strip_prefix("gid://").unwrap_or_default().rsplit('/').skip(1);
        path.next().is_some_and(|model| MODELS.iter().any(|word| model.to_ascii_lowercase().contains(word)))
    })
}

/// Base64, URL-safe or not, with or without padding.
fn decode(text: &str) -> Option<Vec<u8>> {
    if text.len() < 8 || text.len() > 512 {
        return None;
    }
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.trim_end_matches('=').bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' | b'+' => 62,
            b'_' | b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::{is_of_device, user};

    #[test]
    fn a_session_is_of_a_device_and_a_user_is_not() {
        // gid://app/User::Session/77, gid://app/User/42
        assert!(is_of_device("Z2lkOi8vYXBwL1VzZXI6OlNlc3Npb24vNzc"));
        assert!(!is_of_device("Z2lkOi8vYXBwL1VzZXIvNDI") && !is_of_device("session") && !is_of_device(""));
    }

    #[test]
    fn a_global_id_names_its_user_whatever_the_key() {
        assert_eq!(user("Z2lkOi8vdGFza2xhbmUvVXNlci8xMjE").as_deref(), Some("121"));
        // gid://app/Account/5e908487-0000-4000-8000-000000000000, beside a second identifier
        let uuid = "Z2lkOi8vYXBwL0FjY291bnQvNWU5MDg0ODctMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAw:abc";
        assert_eq!(user(uuid).as_deref(), Some("5e908487-0000-4000-8000-000000000000"));
    }

    #[test]
    fn an_inspected_object_names_nobody() {
        assert_eq!(user("#<User:0x00007fa496af49d8>"), None);
        assert_eq!(user(""), None);
    }
}
