"""Other sign-in services, by OpenID Connect: code flow with PKCE, everything fetched under the guard of `web_documents`."""

from app.adapters.openid_connect.provider import OpenIdProvider, providers_in
from app.adapters.openid_connect.registrations import ProvidersUnusable, Registration, registrations_in

__all__ = ["OpenIdProvider", "ProvidersUnusable", "Registration", "providers_in", "registrations_in"]
