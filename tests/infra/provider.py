"""A provider for Terraform that knows a schema and nothing else: python provider.py SCHEMA [--dev].

`terraform test` with `mock_provider` asks a provider for its schema only, so that the real
`terraform` checks types, plans and assertions without HashiCorp's provider and without an account.
It has no validators: a wrong value of a right type passes. It needs PyPI's `tf`.
"""

# ruff: noqa: D102, N802  the methods are those of the protocol

import json
import sys
from pathlib import Path

import tf.provider
import tf.runner
from tf.gen import tfplugin_pb2 as pb
from tf.gen import tfplugin_pb2_grpc as rpc

SCHEMA = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))


def block(content):
    """A block of the protocol."""
    made = pb.Schema.Block(version=0)
    for name, (kind, how) in content["a"].items():
        made.attributes.append(
            pb.Schema.Attribute(
                name=name,
                type=json.dumps(kind).encode(),
                required=how == "r",
                optional=how == "o",
                computed=how in "oc",
            )
        )
    for name, (least, most, inner) in content["b"].items():
        nested = pb.Schema.NestedBlock
        made.block_types.append(
            nested(
                type_name=name,
                block=block(inner),
                nesting=nested.LIST,
                min_items=least,
                max_items=most,
            )
        )
    return made


def schema(content):
    """A schema of the protocol."""
    return pb.Schema(version=0, block=block(content))


class Servicer(rpc.ProviderServicer):
    """Answers what Terraform asks before it would talk to Azure."""

    def GetMetadata(self, request, context):
        answer = pb.GetMetadata.Response(
            server_capabilities=pb.ServerCapabilities(get_provider_schema_optional=False)
        )
        for name in SCHEMA["resources"]:
            answer.resources.append(pb.GetMetadata.ResourceMetadata(type_name=name))
        for name in SCHEMA["data-sources"]:
            answer.data_sources.append(pb.GetMetadata.DataSourceMetadata(type_name=name))
        return answer

    def GetProviderSchema(self, request, context):
        provider = schema(SCHEMA["provider"])
        for attribute in provider.block.attributes:
            attribute.computed = False
        answer = pb.GetProviderSchema.Response(provider=provider)
        for name, content in SCHEMA["resources"].items():
            answer.resource_schemas[name].CopyFrom(schema(content))
        for name, content in SCHEMA["data-sources"].items():
            answer.data_source_schemas[name].CopyFrom(schema(content))
        return answer

    def ValidateProviderConfig(self, request, context):
        return pb.ValidateProviderConfig.Response()

    def ValidateResourceConfig(self, request, context):
        return pb.ValidateResourceConfig.Response()

    def ValidateDataResourceConfig(self, request, context):
        return pb.ValidateDataResourceConfig.Response()

    def ConfigureProvider(self, request, context):
        return pb.ConfigureProvider.Response()

    def StopProvider(self, request, context):
        return pb.StopProvider.Response()


class Provider:
    """What tf.runner asks of a provider of its own."""

    def full_name(self):
        return "registry.terraform.io/hashicorp/azurerm"


tf.provider.ProviderServicer = lambda provider: Servicer()
tf.runner.run_provider(Provider(), sys.argv)
