"""The message ``tf.train.Example`` that TFRecord files hold, as far as features of bytes go, without TensorFlow."""

from functools import cache
from typing import Any


def missing_package(error: ImportError) -> ValueError:
    """The error for a user who lacks a package for TFRecord files."""
    return ValueError(f"TFRecord files need more packages ({error.name}): pip install 'deblurlab[tfrecord]'.")


def example_bytes(features: dict[str, bytes]) -> bytes:
    """A serialized ``tf.train.Example`` with one value per feature.

    Raises:
        ValueError: If protobuf is not installed.
    """
    example = _example()()
    for key, value in sorted(features.items()):
        entry = example.features.feature.add(key=key)
        entry.value.bytes_list.value.append(value)
    data: bytes = example.SerializeToString()
    return data


def example_features(data: bytes, name: str) -> dict[str, bytes]:
    """The first value of each bytes feature of a serialized ``tf.train.Example``.

    Args:
        data: The serialized message.
        name: The name of the message in an error.

    Raises:
        ValueError: If ``data`` is not such a message, or protobuf is not installed.
    """
    message = _example()
    from google.protobuf.message import DecodeError

    try:
        example = message.FromString(data)
    except DecodeError as error:
        raise ValueError(f"{name} is not a tf.train.Example ({error}).") from error
    lists = {entry.key: entry.value.bytes_list.value for entry in example.features.feature}
    return {key: values[0] for key, values in lists.items() if values}


@cache
def _example() -> Any:
    """The class of the message. protobuf makes it from a description with the field numbers of TensorFlow's own::

    message BytesList { repeated bytes value = 1; }
    message Feature   { BytesList bytes_list = 1; }
    message Entry     { string key = 1; Feature value = 2; }     // the encoding of an entry of a map
    message Features  { repeated Entry feature = 1; }
    message Example   { Features features = 1; }
    """
    try:
        from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    except ImportError as error:
        raise missing_package(error) from error
    file = descriptor_pb2.FileDescriptorProto(name="deblurlab_example.proto", package="deblurlab", syntax="proto3")

    def message(name: str, *fields: tuple[str, int, str, bool]) -> None:
        made = file.message_type.add(name=name)
        for field, number, kind, repeated in fields:
            one = made.field.add(name=field, number=number, label=3 if repeated else 1)
            one.type = {"bytes": one.TYPE_BYTES, "string": one.TYPE_STRING}.get(kind, one.TYPE_MESSAGE)
            if one.type == one.TYPE_MESSAGE:
                one.type_name = f".deblurlab.{kind}"

    message("BytesList", ("value", 1, "bytes", True))
    message("Feature", ("bytes_list", 1, "BytesList", False))
    message("Entry", ("key", 1, "string", False), ("value", 2, "Feature", False))
    message("Features", ("feature", 1, "Entry", True))
    message("Example", ("features", 1, "Features", False))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("deblurlab.Example"))
