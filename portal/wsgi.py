"""The WSGI entry point: `gunicorn portal.wsgi`."""

import os
import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
try:
    settings.SECRET_KEY  # noqa: B018 made by the first `migrate`
except ImproperlyConfigured as error:
    sys.exit(f"The site cannot start. {error} On a new machine: python manage.py migrate")
application = get_wsgi_application()
