from pathlib import Path
def write_reproduction(folder: Path) -> Path:
    return folder
