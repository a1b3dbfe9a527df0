"""The Chalice application: every route and every function, registered once."""

import os

from chalice.app import Chalice

# Importing a module of views registers its routes.
from chalicelib.api import customers, ecosystems, exports, leads, pages, reference, session, totals
from chalicelib.api.auth import authorizers
from chalicelib.api.http import close_paths, routes
from chalicelib.triggers.schedule import schedules
from chalicelib.triggers.stream import streams
from chalicelib.triggers.watch import watches
from chalicelib.triggers.worker import workers


def _refuse_chalice_deploy() -> None:
    """End `chalice deploy`: it knows none of the tables, queues and roles in infra/resources.yaml.

    Every stage has the same code and policies, so that nothing else would stop it.
    """
    import click  # Lambda has none; Chalice's command line has it.

    context = click.get_current_context(silent=True)
    if context is not None and context.info_name == "deploy":
        message = "this project is deployed by: make deploy STAGE=prod (docs/operating.md)"
        raise click.UsageError(message)


if "AWS_CHALICE_CLI_MODE" in os.environ:
    _refuse_chalice_deploy()

VIEWS = (customers, ecosystems, exports, leads, pages, reference, session, totals)

close_paths()

app = Chalice(app_name="store-users")
app.register_blueprint(authorizers)
app.register_blueprint(routes)
app.register_blueprint(schedules)
app.register_blueprint(streams)
app.register_blueprint(watches)
app.register_blueprint(workers)
