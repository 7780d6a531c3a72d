"""Pages about the person who is signed in."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters

from .models import User


class SignIn(LoginView):
    """The only page without sign-in. Wrong passwords are counted by django-axes."""

    template_name = "accounts/sign_in.html"
    redirect_authenticated_user = True


class NameForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ("display_name",)
        labels = {"display_name": "Name shown to others and in releases"}


@sensitive_post_parameters("old_password", "new_password1", "new_password2")
def account(request: HttpRequest) -> HttpResponse:
    """One's own name and password. Anyone who is signed in; each sees only oneself."""
    user = User.objects.get(username=request.user.get_username())
    naming = NameForm(request.POST if "display_name" in request.POST else None, instance=user)
    password = PasswordChangeForm(user, request.POST if "old_password" in request.POST else None)
    password.fields["old_password"].widget.attrs.pop("autofocus", None)  # the page is not only about the password
    if request.method == "POST":
        changed = password if "old_password" in request.POST else naming
        if changed.is_valid():
            changed.save()
            update_session_auth_hash(request, user)
            messages.success(request, "Password changed." if changed is password else "Name changed.")
            return redirect("account")
    roles = user.groups.values_list("name", flat=True)
    context = {"section": "account", "naming": naming, "password": password, "roles": roles}
    return render(request, "accounts/account.html", context)
