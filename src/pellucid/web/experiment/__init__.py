"""The experiment for people: its server, what it keeps, and the tables that come of it.

Needs SQLAlchemy, of the extra `experiment`.
"""

from pellucid.web.experiment.app import make_experiment_app as make_experiment_app
from pellucid.web.experiment.deletion import delete_participant as delete_participant
from pellucid.web.experiment.deletion import participants_of_platform as participants_of_platform
from pellucid.web.experiment.running import Running as Running
from pellucid.web.experiment.tables import TABLES as TABLES
from pellucid.web.experiment.tables import answers_table as answers_table
from pellucid.web.experiment.tables import export_tables as export_tables
from pellucid.web.experiment.tables import kept_answers as kept_answers
from pellucid.web.experiment.tables import participants_table as participants_table
