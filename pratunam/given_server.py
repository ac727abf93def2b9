"""Looks at a Redis server that the gate is to stand on, its own or one that was given: refuses what would lose limits silently.

It must not start, stop or change a server.
"""

from urllib.parse import urlsplit

import redis.asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from domain.errors import BadSetting

OLDEST_REDIS = (6, 2)


async def check_server(client: aioredis.Redis) -> None:
    """Refuse a server that is too old, a replica, or one that may throw keys away; raises BadSetting.

    Persistence is not refused here: a server that comes back with old keys is found out by its run id (`quotas`).
    """
    try:
        told = await client.info()
    except (RedisError, OSError) as error:
        raise BadSetting(
            "The Redis server does not answer.",
            message_th="เซิร์ฟเวอร์ Redis ไม่ตอบสนอง",
            remedy_en="Check PRATUNAM_REDIS_URL and that the server runs.",
            remedy_th="ตรวจสอบ PRATUNAM_REDIS_URL และตรวจสอบว่าเซิร์ฟเวอร์กำลังทำงาน",
        ) from error
    version = tuple(int(part) for part in str(told.get("redis_version", "0.0")).split(".")[:2])
    if version < OLDEST_REDIS:
        raise _unfit(f"is version {told.get('redis_version')}", "Use Redis 6.2 or later, or Valkey.")
    policy = told.get("maxmemory_policy")
    if policy != "noeviction":
        raise _unfit(
            f"evicts keys ({policy})", "Set `maxmemory-policy noeviction`: a lost key is a lost limit."
        )
    if told.get("role") != "master":
        raise _unfit(f"is a {told.get('role')}", "Point PRATUNAM_REDIS_URL at the primary server.")


async def check_server_at(url: str) -> None:
    """Refuse the server at `url` as `check_server` does."""
    client = aioredis.from_url(url, retry=Retry(NoBackoff(), 0))
    try:
        await check_server(client)
    finally:
        await client.aclose()


def _unfit(what: str, remedy: str) -> BadSetting:
    return BadSetting(
        f"The Redis server {what}.",
        message_th="เซิร์ฟเวอร์ Redis ที่กำหนดไว้ใช้กับระบบนี้ไม่ได้",
        remedy_en=remedy,
        remedy_th="ใช้ Redis 6.2 ขึ้นไปหรือ Valkey ที่เป็นเครื่องหลัก และตั้งค่า maxmemory-policy noeviction",
    )


def without_password(url: str) -> str:
    """Return a Redis URL as it may be shown: the password is left out."""
    parts = urlsplit(url)
    return url.replace(f":{parts.password}@", ":***@") if parts.password else url
