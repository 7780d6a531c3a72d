"""Sign-in, sign-out, change of password."""

from __future__ import annotations

from django.contrib.auth import views as auth
from django.urls import URLPattern, path

from .api import Preferences
from .views import SignIn, account

urlpatterns: list[URLPattern] = [
    path("sign-in/", SignIn.as_view(), name="sign-in"),
    path("sign-out/", auth.LogoutView.as_view(), name="sign-out"),
    path("account/", account, name="account"),
]

api_urlpatterns: list[URLPattern] = [
    path("me/preferences/", Preferences.as_view(), name="api-preferences"),
]
