//! Altinn 3: Maskinporten, token exchange, app instances.
