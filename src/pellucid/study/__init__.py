"""What lies on disk: a study is a folder with a manifest, and this room reads and writes it without torch."""

from pellucid.study.catalog import Catalog as Catalog
from pellucid.study.catalog import read_catalog as read_catalog
from pellucid.study.files import digest as digest
from pellucid.study.files import write_bytes as write_bytes
from pellucid.study.files import write_json as write_json
from pellucid.study.files import writing as writing
from pellucid.study.gallery import GalleryRecord as GalleryRecord
from pellucid.study.gallery import PictureRecord as PictureRecord
from pellucid.study.gallery import galleries as galleries
from pellucid.study.gallery import gallery_folder as gallery_folder
from pellucid.study.manifest import FORMAT as FORMAT
from pellucid.study.manifest import Manifest as Manifest
from pellucid.study.manifest import Study as Study
from pellucid.study.page_record import PageRecord as PageRecord
from pellucid.study.page_record import page_folder as page_folder
from pellucid.study.page_record import pages as pages
from pellucid.study.records import AtlasRecord as AtlasRecord
from pellucid.study.records import CardRecord as CardRecord
from pellucid.study.records import CellRecord as CellRecord
from pellucid.study.records import ChunkRecord as ChunkRecord
from pellucid.study.records import LevelRecord as LevelRecord
from pellucid.study.records import NextCells as NextCells
from pellucid.study.records import PointsRecord as PointsRecord
from pellucid.study.records import SheetRecord as SheetRecord
from pellucid.study.records import atlases as atlases
