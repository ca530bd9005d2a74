"""Makes azurerm.json: what the provider azurerm knows of the types in infra/, and nothing else.

HashiCorp's provider is no package of an index; its types are, in a wheel for CDKTF, as a manifest
of jsii (https://aws.github.io/jsii/specification/3-name-mangling/). `python -m tests.infra.azurerm`
writes the file; a test compares it with the wheel. Of a type it holds `a`, its attributes with
their type and whether they are required (r), optional (o) or computed (c), and `b`, its blocks with
nesting, least and largest number, and content.
"""

import io
import json
import re
import subprocess
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("azurerm.json")
INFRA = Path(__file__).parents[2] / "template" / "[% if azureml %]infra[% endif %]"
WHEEL = "cdktf-cdktf-provider-azurerm==14.23.1"  # azurerm 4.55.0
FEATURES = {"storage"}  # of the provider's own block, those that main.tf sets
PRIMITIVES = {"string": "string", "number": "number", "boolean": "bool", "any": "dynamic"}
MAPS = {"cdktf.StringMap": "string", "cdktf.NumberMap": "number", "cdktf.BooleanMap": "bool"}
# Properties of a class of CDKTF that are none of the resource.
PLUMBING = re.compile(
    r"\w*Input|tfResourceType|fqn|internalValue|isEmpty|complexObject\w*|terraform\w*|wrapsSet"
    r"|node|rawOverrides|friendlyUniqueId|cdktfStack|constructNodeMetadata|count|dependsOn|forEach"
    r"|lifecycle|provider|connection|provisioners|creationStack"
)
NAMED = re.compile(r"#([a-z][a-z0-9_]+)[ }]")
PAGE = re.compile(r"/azurerm/([\d.]+)/docs/(resources|data-sources)/([a-z0-9_]+)")
Block = dict[str, dict[str, Any]]


class Manifest:
    """The types of the wheel."""

    def __init__(self, types: dict[str, Any]) -> None:
        self.types = types

    def kind(self, declared: dict[str, Any] | None) -> tuple[str, Any, str]:
        """A property's type: `attribute` with Terraform's type, or `block` with a name, and how."""
        declared = declared or {}
        name = declared.get("fqn", "")
        if "primitive" in declared:
            return "attribute", PRIMITIVES[declared["primitive"]], ""
        if "collection" in declared:
            what, inner, _ = self.kind(declared["collection"]["elementtype"])
            shape = "list" if declared["collection"]["kind"] == "array" else "map"
            return (what, inner, "many") if what == "block" else (what, [shape, inner], "")
        if "union" in declared:
            members = declared["union"]["types"]
            kinds = [self.kind(one) for one in members if one.get("fqn") != "cdktf.IResolvable"]
            return min(kinds, key=lambda kind: (kind[0] != "block", kind[1] == ["map", "dynamic"]))
        if self.types.get(name, {}).get("kind") == "interface":
            return "block", name, "one"
        return "attribute", ["map", MAPS[name]] if name in MAPS else "dynamic", ""

    def block(self, config: str, made: str = "", depth: int = 0) -> Block:
        """What a config takes, and what the class `made` adds: computed attributes."""
        attributes: dict[str, Any] = {}
        blocks: dict[str, Any] = {}
        taken = set()
        for declared in self.types[config].get("properties", []):
            taken.add(declared["name"])
            name, optional = _name(declared), declared.get("optional", False)
            what, inner, how = self.kind(declared.get("type"))
            if what == "attribute":
                attributes[name] = [inner, "o" if optional else "r"]
            elif name != "timeouts":
                most = 1 if how == "one" else 0
                content = self.block(inner, f"{inner}OutputReference", depth + 1)
                blocks[name] = [0 if optional else 1, most, content]
        for declared in self.types.get(made, {}).get("properties", []):
            name = _snake(declared["name"])
            plumbing = PLUMBING.fullmatch(declared["name"]) or declared.get("static")
            if declared["name"] in taken or plumbing or name in attributes or name in blocks:
                continue
            what, inner, _ = self.kind(declared.get("type"))
            attributes[name] = [inner if what == "attribute" else "dynamic", "c"]
        return {"a": attributes, "b": {} if depth > 4 else blocks}


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def _name(declared: dict[str, Any]) -> str:
    """Terraform's name of a property stands in a link of its documentation."""
    docs = declared.get("docs", {})
    found = NAMED.search(f"{docs.get('summary', '')} {docs.get('remarks', '')}")
    return found[1] if found else _snake(declared["name"])


def used(folder: Path) -> tuple[set[str], set[str]]:
    """The types of resources and of data in the files of a folder."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.tf"))
    kinds = (re.findall(rf'^{kind} "(\w+)"', text, re.MULTILINE) for kind in ("resource", "data"))
    resources, data = map(set, kinds)
    return resources, data


def make(types: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The schema of the provider, cut to what `folder` uses."""
    manifest = Manifest(types)
    wanted = dict(zip(("resources", "data-sources"), used(folder), strict=True))
    made: dict[str, Any] = {"version": None, "resources": {}, "data-sources": {}}
    for name, declared in types.items():
        # A block may be named so, too, as SiteConfig: it has no class without the word.
        whole = name.endswith("Config") and name.removesuffix("Config") in types
        found = PAGE.search(json.dumps(declared)) if whole else None
        kind = f"azurerm_{found[3]}" if found else ""
        if found and kind in wanted.get(found[2], set()):
            made["version"] = found[1]
            made[found[2]][kind] = manifest.block(name, name.removesuffix("Config"))
        if name.endswith(".provider.AzurermProviderConfig"):
            made["provider"] = manifest.block(name)
            features = made["provider"]["b"]["features"][2]["b"]
            made["provider"]["b"]["features"][2]["b"] = {key: features[key] for key in FEATURES}
    return made


def from_wheel(folder: Path = INFRA) -> dict[str, Any]:
    """The schema, from the wheel of the package index."""
    with tempfile.TemporaryDirectory() as scratch:
        command = ["uvx", "-q", "pip", "download", "-q", "--no-deps", "--dest", scratch, WHEEL]
        subprocess.run(command, check=True)
        with zipfile.ZipFile(next(Path(scratch).glob("*.whl"))) as wheel:
            name = next(name for name in wheel.namelist() if name.endswith(".jsii.tgz"))
            archive = io.BytesIO(wheel.read(name))
    with tarfile.open(fileobj=archive) as files:
        manifest = files.extractfile("package/.jsii")
        assert manifest is not None
        return make(json.load(manifest)["types"], folder)


def main() -> None:
    """Write azurerm.json."""
    text = json.dumps(from_wheel(), indent=None, separators=(",", ":"), sort_keys=True)
    FILE.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
