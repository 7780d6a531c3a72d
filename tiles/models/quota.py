"""How workers share the quota of a service: one row a service, one lease a process, or one entry a request."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class ServiceQuota(models.Model):
    """A service with a quota. Whoever leases from it locks this row first."""

    service = models.CharField(max_length=32, primary_key=True)

    def __str__(self) -> str:
        return self.service


class QuotaLease(models.Model):
    """What one process may use of a quota until the lease expires: requests at once, and starts a second."""

    quota = models.ForeignKey(ServiceQuota, on_delete=models.CASCADE, related_name="leases")
    owner = models.CharField(max_length=100)
    slots = models.PositiveIntegerField()
    per_second = models.PositiveIntegerField()
    expires_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["quota", "expires_at"], name="quota_lease_live")]

    def __str__(self) -> str:
        return f"{self.slots} of {self.quota_id} for {self.owner}"


class QuotaEntry(models.Model):
    """One request that was sent to a service whose quota is one of a minute, and what it took. Forgotten after that."""

    quota = models.ForeignKey(ServiceQuota, on_delete=models.CASCADE, related_name="entries")
    at = models.DateTimeField()
    tokens = models.PositiveIntegerField(help_text="An estimate until it is answered.")

    class Meta:
        indexes: ClassVar = [models.Index(fields=["quota", "at"], name="quota_entry_newest")]

    def __str__(self) -> str:
        return f"{self.tokens} tokens of {self.quota_id}"
