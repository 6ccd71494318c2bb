//! Failures of the device's store of secrets: Android's Keystore and iOS's Keychain behind flutter_secure_storage and its kind.
//!
//! Sources: juliansteenbakker/flutter_secure_storage#210, #743, #1165; Apple's `SecBase.h` for the codes. -25308 means that the
//! device was locked: the value is still there.

use crate::about::About;
use crate::dialect::{Context, Dialect, Line};
use crate::record::{Body, Side};
use crate::text::contains;

/// See the module.
pub(crate) struct SecureStorage;

/// Texts of a store that cannot be read.
const FAILURES: &[&[u8]] = &[
    b"BadPaddingException",
    b"AEADBadTagException",
    b"BAD_DECRYPT",
    b"KeyStoreException",
    b"KeyPermanentlyInvalidatedException",
    b"UnrecoverableKeyException",
    b"InvalidKeyException",
    b"IllegalBlockSizeException",
    b"Keystore operation failed",
    b"Unexpected security result code",
    b"errSecInteractionNotAllowed",
    b"Code: -34018",
    b"Code: -25300",
    b"code: -25308",
    b"GeneralSecurityException",
    b"/flutter_secure_storage)",
];

impl Dialect for SecureStorage {
    fn name(&self) -> &'static str {
        "secure-storage"
    }

    fn side(&self) -> Side {
        Side::Client
    }

    fn about(&self) -> About {
        About {
            example: "PlatformException(Exception encountered, read, javax.crypto.BadPaddingException, null)",
            shows: "that the store of secrets could not be read, and whether the device was locked",
            hides: "a value that is silently null",
            source: "juliansteenbakker/flutter_secure_storage; Apple SecBase.h; Android Keystore",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Option<Body<'a>> {
        if !line.trace {
            return None;
        }
        let text = line.whole;
        // Frames of a native stack name the same classes again.
        if text.trim_ascii_start().starts_with(b"at ") || text.starts_with(b"Caused by: ") {
            return Some(Body::Dull);
        }
        let platform = contains(text, b"PlatformException");
        let named = FAILURES.iter().any(|failure| contains(text, failure));
        let read = platform && contains(text, b"Exception encountered, read");
        if !named && !read {
            return None;
        }
        let locked = contains(text, b"-25308") || contains(text, b"User interaction is not allowed");
        Some(Body::Storage { locked })
    }
}
