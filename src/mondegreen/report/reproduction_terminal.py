from pathlib import Path
def print_reproduction(folder: Path) -> None:
    pass
