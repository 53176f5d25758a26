"""librdkafka against a server that wants a login: mechanisms, re-authentication, users, bindings."""
import os, time
from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.admin import (AclBinding, AclBindingFilter, AclOperation, AclPermissionType, AdminClient, ResourcePatternType, ResourceType,
                                   ScramCredentialInfo, ScramMechanism, UserScramCredentialDeletion, UserScramCredentialUpsertion)

broker, token = os.environ["BROKER"], os.environ["TOKEN"]


def config(mechanism, password="alice"):
    c = {"bootstrap.servers": broker, "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": mechanism}
    if mechanism == "OAUTHBEARER":
        c["oauth_cb"] = lambda _: (token, time.time() + 3600)
    else:
        c.update({"sasl.username": "alice", "sasl.password": password})
    return c


def want(what, got, expected):
    if got != expected:
        raise SystemExit(f"{what}: got {got!r}, want {expected!r}")


# Every mechanism; a session of two seconds is renewed while the client works.
for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"]:
    p = Producer(config(mechanism))
    failed = []
    p.poll(0)  # serves the token's callback
    for i in range(6):
        p.produce("orders", value=b"x", on_delivery=lambda err, _: err and failed.append(str(err)))
        want(mechanism + " flush", p.flush(10), 0)
        time.sleep(0.5)
    want(mechanism, failed, [])

errors = []
p = Producer(dict(config("SCRAM-SHA-256", "wrong"), error_cb=lambda e: errors.append(e.name())))
p.poll(3)
want("wrong password", "_AUTHENTICATION" in errors, True)

admin = AdminClient(config("SCRAM-SHA-512"))

# Users.
for f in admin.alter_user_scram_credentials([
        UserScramCredentialUpsertion("carol", ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 5000), b"carol", b"salt"),
        UserScramCredentialUpsertion("carol", ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 6000), b"carol")]).values():
    f.result(10)
described = admin.describe_user_scram_credentials(["carol"])["carol"].result(10)
want("carol", sorted(i.iterations for i in described.scram_credential_infos), [5000, 6000])
for f in admin.alter_user_scram_credentials([UserScramCredentialDeletion("carol", ScramMechanism.SCRAM_SHA_256)]).values():
    f.result(10)
try:
    for f in admin.alter_user_scram_credentials([UserScramCredentialUpsertion("dave", ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 100), b"dave")]).values():
        f.result(10)
    raise SystemExit("few iterations are taken")
except KafkaException as e:
    want("few iterations", e.args[0].name(), "UNACCEPTABLE_CREDENTIAL")

# Bindings, with the filters of test 0081.
T, R, O, P = ResourceType, ResourcePatternType, AclOperation, AclPermissionType
made = [AclBinding(T.TOPIC, "topic-1", R.LITERAL, "User:test-user-1", "*", O.READ, P.ALLOW),
        AclBinding(T.TOPIC, "topic", R.PREFIXED, "User:test-user-2", "*", O.WRITE, P.ALLOW),
        AclBinding(T.TOPIC, "topic-1", R.LITERAL, "User:test-user-2", "10.0.0.1", O.ALL, P.DENY),
        AclBinding(T.GROUP, "group-1", R.LITERAL, "User:test-user-1", "*", O.READ, P.ALLOW)]
for f in admin.create_acls(made).values():
    want("create", f.result(10), None)


def found(type, name, pattern, principal=None, host=None, op=O.ANY, permission=P.ANY):
    return sorted(made.index(b) for b in admin.describe_acls(AclBindingFilter(type, name, pattern, principal, host, op, permission)).result(10))


want("match", found(T.TOPIC, "topic-1", R.MATCH), [0, 1, 2])
want("literal", found(T.TOPIC, "topic-1", R.LITERAL), [0, 2])
want("prefixed", found(T.TOPIC, "topic", R.PREFIXED), [1])
want("any", found(T.TOPIC, "topic-1", R.ANY), [0, 2])
want("principal", found(T.ANY, None, R.ANY, "User:test-user-1"), [0, 3])
want("host", found(T.ANY, None, R.ANY, None, "10.0.0.1"), [2])
want("operation", found(T.ANY, None, R.ANY, op=O.READ), [0, 3])
want("deny", found(T.ANY, None, R.ANY, permission=P.DENY), [2])
f = AclBindingFilter(T.TOPIC, "topic-1", R.MATCH, None, None, O.ANY, P.ANY)
want("deleted", sorted(made.index(b) for b in admin.delete_acls([f])[f].result(10)), [0, 1, 2])
want("left", found(T.ANY, None, R.ANY), [3])
print("all good")
