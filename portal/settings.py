"""Settings. Everything that differs per machine comes from the environment, and is read here only.

The README's table lists the variables. A `.env` file beside manage.py is read when there is one.
"""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent


class Environment(environ.Env):
    """The environment, which says which variable is wrong."""

    def get_value(self, var: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().get_value(var, *args, **kwargs)
        except ValueError as error:
            raise ImproperlyConfigured(
                f"What {var} is set to makes no sense. README.md lists what may be set."
            ) from error


env = Environment()
env.prefix = ""
if (BASE_DIR / ".env").is_file():
    environ.Env.read_env(BASE_DIR / ".env")

# --- This machine -------------------------------------------------------------------------------------------------

DEMETER_DATA = Path(env.str("DEMETER_DATA", str(BASE_DIR / "data"))).absolute()
DEMETER_SOURCES = [Path(folder).absolute() for folder in env.list("DEMETER_SOURCES", default=[])]
DEMETER_MIN_FREE = env.int("DEMETER_MIN_FREE", 2_000_000_000)
# Elevation models sent from the build page: most bytes of a file, and days after which an unfinished one is removed.
DEMETER_MAX_UPLOAD = env.int("DEMETER_MAX_UPLOAD", 4 * 2**30)
DEMETER_UPLOAD_DAYS = env.int("DEMETER_UPLOAD_DAYS", 7)
DEMETER_WORKERS = env.int("DEMETER_WORKERS", min(4, os.cpu_count() or 1))
DEMETER_LEASE_SECONDS = env.int("DEMETER_LEASE_SECONDS", 30)
DEMETER_SWEEP_SECONDS = env.float("DEMETER_SWEEP_SECONDS", 2.0)
DEMETER_STALL_SECONDS = env.float("DEMETER_STALL_SECONDS", 20.0)
# How long tiles that were handed out to a reviewer are kept for them after they were last heard of.
DEMETER_CLAIM_SECONDS = env.int("DEMETER_CLAIM_SECONDS", 300)
DEMETER_ACCEL = env.str("DEMETER_ACCEL", "")
# Where archives of new releases are kept: nothing for the data folder, or s3://bucket/prefix. Credentials: AWS_*.
DEMETER_ARCHIVE_STORE = env.str("DEMETER_ARCHIVE_STORE", "").rstrip("/")
if DEMETER_ARCHIVE_STORE and not re.fullmatch(
    r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[\w./-]+)?", DEMETER_ARCHIVE_STORE
):
    raise ImproperlyConfigured("What DEMETER_ARCHIVE_STORE is set to makes no sense. Write s3://bucket/prefix.")
DEMETER_ARCHIVE_ENDPOINT = env.str("DEMETER_ARCHIVE_ENDPOINT", "")
DEMETER_ARCHIVE_REGION = env.str("DEMETER_ARCHIVE_REGION", "")
# Requests a minute from one address to public releases; how many proxies add to X-Forwarded-For before us.
DEMETER_PUBLIC_REQUESTS = env.int("DEMETER_PUBLIC_REQUESTS", 240)
DEMETER_PROXIES = env.int("DEMETER_PROXIES", 0)
# A folder with CLIP's tokenizer, by which tokens are counted where transformers is installed; else they are estimated.
DEMETER_CLIP_TOKENIZER = env.str("DEMETER_CLIP_TOKENIZER", "")
# The hosts that imagery may be read from, catalogues and files alike: no other one is ever contacted.
DEMETER_STAC_HOSTS = [host.strip().lower() for host in env.list("DEMETER_STAC_HOSTS", default=[]) if host.strip()]
DEMETER_STAC_SECONDS = env.float("DEMETER_STAC_SECONDS", 300.0)

# Earth Engine, when an area's imagery comes from there. Limits are the project's: of all workers together.
EARTHENGINE_CREDENTIALS = env.str("EARTHENGINE_CREDENTIALS", "")
EARTHENGINE_PROJECT = env.str("EARTHENGINE_PROJECT", "")
EARTHENGINE_URL = env.str("EARTHENGINE_URL", "https://earthengine-highvolume.googleapis.com").rstrip("/")
EARTHENGINE_MAX_CONCURRENT = env.int("EARTHENGINE_MAX_CONCURRENT", 40)
EARTHENGINE_MAX_PER_SECOND = env.int("EARTHENGINE_MAX_PER_SECOND", 100)
EARTHENGINE_TILE_SECONDS = env.float("EARTHENGINE_TILE_SECONDS", 600.0)


def _caption_endpoint(name: str) -> dict[str, Any]:
    """A vision-language model behind `/chat/completions`, from the variables CAPTION_<NAME>_*."""
    at = f"CAPTION_{name.upper().replace('-', '_')}_"
    return {
        "urls": env.list(f"{at}URL", default=[]),
        "model": env.str(f"{at}MODEL", ""),
        "key": env.str(f"{at}KEY", ""),
        "concurrent": env.int(f"{at}CONCURRENT", 4),
        "requests": env.int(f"{at}REQUESTS_A_MINUTE", 0),
        "tokens": env.int(f"{at}TOKENS_A_MINUTE", 0),
        "seconds": env.float(f"{at}SECONDS", 120.0),
        "picture": env.int(f"{at}PICTURE", 512),
        "depth": env.bool(f"{at}DEPTH", False),
        "longest": env.int(f"{at}LONGEST", 500),
        "prices": (env.float(f"{at}PRICE_IN", 0.0), env.float(f"{at}PRICE_OUT", 0.0)),
    }


# Models that write captions, by a name each; no other host is ever contacted for it. docs/captions.md has examples.
CAPTION_ENDPOINTS = {
    name: _caption_endpoint(name) for name in map(str.strip, env.list("CAPTION_ENDPOINTS", default=[])) if name
}
# A model of the `blip` extra: a folder, or the id of one on the hub, which is downloaded when it is first used.
CAPTION_BLIP_MODEL = env.str("CAPTION_BLIP_MODEL", "")
CAPTION_BLIP_DEVICE = env.str("CAPTION_BLIP_DEVICE", "")

DEBUG = env.bool("DEBUG", False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
REDIS_URL = env.str("REDIS_URL", "")
HTTPS = env.bool("HTTPS", False)

DATABASES = {"default": env.db("DATABASE_URL", f"sqlite:///{DEMETER_DATA / 'demeter.sqlite3'}")}
DATABASE = DATABASES["default"]
if "ENGINE" not in DATABASE:
    raise ImproperlyConfigured("What DATABASE_URL is set to makes no sense. Write postgres://user:password@host/name.")
EMBEDDED = DATABASE["ENGINE"] == "django.db.backends.sqlite3"
if EMBEDDED:
    DATABASE["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL",
    }
    DATABASE["TEST"] = {"NAME": str(DEMETER_DATA / "test.sqlite3")}
else:
    DATABASE["CONN_MAX_AGE"] = 60
    DATABASE["CONN_HEALTH_CHECKS"] = True
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 100_000}}
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The key signs sessions. `migrate` and `demo` make one in the data folder; settings only read it.
SECRET_KEY_FILE = DEMETER_DATA / "secret-key"
SECRET_KEY = env.str("SECRET_KEY", "")
if not SECRET_KEY and (not EMBEDDED or REDIS_URL):
    raise ImproperlyConfigured(
        "Set SECRET_KEY: several machines may share this database or queue, and must share the key."
    )
if not SECRET_KEY and SECRET_KEY_FILE.is_file():
    SECRET_KEY = SECRET_KEY_FILE.read_text().strip()

# --- The site -----------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "portal.accounts",
    "portal.dashboard",
    "portal.exports",
    "portal.demo",
    "captions",
    "tiles",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "django_q",
    "axes",
    "csp",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.accounts.middleware.SignInRequired",
    "portal.accounts.middleware.ExpectedErrors",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.dashboard.context.header",
            ],
        },
    }
]
LANGUAGE_CODE = "en"
TIME_ZONE = env.str("TIME_ZONE", "UTC")
try:
    ZoneInfo(TIME_ZONE)
except (KeyError, ValueError, OSError) as error:
    raise ImproperlyConfigured("What TIME_ZONE is set to is no time zone. Write one as in Asia/Taipei.") from error
USE_TZ = True

# --- People -------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "dashboard"
LOGOUT_REDIRECT_URL = "sign-in"
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "accounts/locked.html"
AXES_VERBOSE = False
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "portal.dashboard.errors.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
if HTTPS:
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 30 * 24 * 3600
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "blob:", "data:"],
        "style-src": [SELF, "'unsafe-inline'"],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
    }
}

# --- Files --------------------------------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", str(DEMETER_DATA / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "portal.dashboard.static.PlotlyFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": env.str("STATIC_STORAGE", "portal.dashboard.static.StaticStorage")},
}
WHITENOISE_USE_FINDERS = env.bool("WHITENOISE_USE_FINDERS", DEBUG)
DATA_UPLOAD_MAX_MEMORY_SIZE = 5_000_000
# What is too large never reaches the disk; the files that forms send are small.
FILE_UPLOAD_HANDLERS = [
    "captions.importing.handler.NotTooLarge",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# --- JSON ---------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["tiles.core.api.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["tiles.core.api.HasPermission"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["tiles.core.api.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "EXCEPTION_HANDLER": "tiles.core.api.exception_handler",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Demeter",
    "DESCRIPTION": "Areas, tiles, decisions, captions, jobs and releases.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["tiles.core.api.HasPermission"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "ReviewStateEnum": "tiles.models.choices.ReviewState",
        "ReadingEnum": "captions.models.Reading",
        "JobStateEnum": "tiles.models.Job.State",
        "UploadStateEnum": "tiles.models.DemUpload.State",
        "ReleaseStateEnum": "portal.exports.models.Release.State",
        "DecisionVerbEnum": "tiles.models.ReviewDecision.Verb",
        "BulkVerbEnum": "tiles.api.bulk.VERB_CHOICES",
        "VerdictEnum": "tiles.api.review.VERB_CHOICES",
    },
}

# --- Background work ----------------------------------------------------------------------------------------------
# Job rows own recovery; the queue only wakes workers. So a task is given up by the queue as soon as it is taken
# (max_attempts 1), and `timeout` only ends a worker that hangs for good.

Q_CLUSTER = {
    "name": "demeter",
    "workers": DEMETER_WORKERS,
    "timeout": 3600,
    "retry": 3700,
    "max_attempts": 1,
    "ack_failures": True,
    "poll": 0.2,
    "guard_cycle": 0.5,
    "queue_limit": 2 * DEMETER_WORKERS,
    "recycle": 200,
    "save_limit": -1,
    "catch_up": False,
    "scheduler": False,
    "label": "Queue",
    "log_level": "WARNING",
    **({"redis": REDIS_URL} if REDIS_URL else {"orm": "default"}),
}

LOG_LEVEL = env.str("LOG_LEVEL", "WARNING").upper()
if LOG_LEVEL not in logging.getLevelNamesMapping():
    raise ImproperlyConfigured("What LOG_LEVEL is set to makes no sense. Write DEBUG, INFO, WARNING or ERROR.")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
}
