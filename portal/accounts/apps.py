from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "portal.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from .roles import roles_sync

        # No sender: permissions of every app must exist before groups can hold them, and apps migrate one by one.
        post_migrate.connect(roles_sync, dispatch_uid="roles_sync")
