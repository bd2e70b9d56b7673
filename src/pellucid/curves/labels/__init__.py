"""What people see in the images that a unit answers to: labels against activation. Without torch."""

from pellucid.curves.labels.answers import Answer as Answer
from pellucid.curves.labels.answers import decided as decided
from pellucid.curves.labels.answers import read_answers as read_answers
from pellucid.curves.labels.bootstrap import ShareDraws as ShareDraws
from pellucid.curves.labels.bootstrap import bootstrap_shares as bootstrap_shares
from pellucid.curves.labels.contribution import Composition as Composition
from pellucid.curves.labels.contribution import compose as compose
from pellucid.curves.labels.counts import LABELS as LABELS
from pellucid.curves.labels.counts import LabelCounts as LabelCounts
from pellucid.curves.labels.discrimination import auc as auc
from pellucid.curves.labels.discrimination import dataset_auc as dataset_auc
from pellucid.curves.labels.published import read_label_counts as read_label_counts
from pellucid.curves.labels.published import read_label_shares as read_label_shares
from pellucid.curves.labels.published import read_positions as read_positions
from pellucid.curves.labels.raters import PairAgreement as PairAgreement
from pellucid.curves.labels.raters import RaterAgreement as RaterAgreement
from pellucid.curves.labels.raters import agreement as agreement
from pellucid.curves.labels.raters import cohen_kappa as cohen_kappa
from pellucid.curves.labels.raters import fleiss_kappa as fleiss_kappa
from pellucid.curves.labels.report import LabelReport as LabelReport
from pellucid.curves.labels.report import LabelRow as LabelRow
from pellucid.curves.labels.report import analyse_labels as analyse_labels
from pellucid.curves.labels.shares import LabelShares as LabelShares
from pellucid.curves.labels.shares import Smoothing as Smoothing
from pellucid.curves.labels.stack_plots import stack_figure as stack_figure
