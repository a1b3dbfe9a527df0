"""The Chalice application: every route and every function, registered once."""

from chalice.app import Chalice

# Importing a module of views registers its routes.
from chalicelib.api import customers, ecosystems, exports, leads, pages, reference, session, totals
from chalicelib.api.auth import authorizers
from chalicelib.api.http import close_paths, routes
from chalicelib.triggers.schedule import schedules
from chalicelib.triggers.stream import streams
from chalicelib.triggers.watch import watches
from chalicelib.triggers.worker import workers

VIEWS = (customers, ecosystems, exports, leads, pages, reference, session, totals)

close_paths()

app = Chalice(app_name="store-users")
app.register_blueprint(authorizers)
app.register_blueprint(routes)
app.register_blueprint(schedules)
app.register_blueprint(streams)
app.register_blueprint(watches)
app.register_blueprint(workers)
