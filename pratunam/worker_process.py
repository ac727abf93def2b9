"""One worker process: dramatiq's actors, the pacers and the sessions (`workers.process`), wired to this installation."""

from domain.errors import BadSetting
from domain.jobs import Job
from intake.check_job import check_job
from pratunam.child import long_running
from pratunam.intake_parts import intake_parts
from pratunam.parts import Parts
from pratunam.settings import Settings
from workers.process import WorkerParts, WorkerProcess


async def run_worker(settings: Settings, name: str) -> None:
    """Run until SIGTERM or Ctrl-C."""
    async with long_running(settings, name) as child:
        parts = child.parts

        async def check(job: str) -> Job | None:
            return await _check(parts, job)

        await WorkerProcess(
            WorkerParts(
                ledger=parts.ledger,
                keys=parts.keys,
                spool=parts.spool,
                clock=parts.clock,
                emit=parts.emit,
                redis_url=child.redis_url,
                home=settings.home,
                check=check,
                sessions=settings.worker_sessions,
                sender=settings.smtp_from,
                webhook_key=_webhook_key(settings),
                is_ready=child.note_ready,
            )
        ).run(child.stopping)


async def _check(parts: Parts, job: str) -> Job | None:
    """Check a file by the rules of its own registry."""
    registry = (await parts.ledger.job(job)).registry
    return await check_job(job, await intake_parts(parts, registry), parts.clock.now())


def _webhook_key(settings: Settings) -> bytes:
    if settings.webhook_key_file is None:
        return b""
    try:
        return settings.webhook_key_file.read_bytes().strip()
    except OSError as error:
        raise BadSetting(
            f"The webhook key {settings.webhook_key_file} cannot be read: {error.strerror}.",
            message_th=f"อ่านกุญแจเว็บฮุก {settings.webhook_key_file} ไม่ได้",
            remedy_en="Write one, mode 0400, or unset PRATUNAM_WEBHOOK_KEY_FILE.",
            remedy_th="สร้างแฟ้มกุญแจ (สิทธิ์ 0400) หรือยกเลิก PRATUNAM_WEBHOOK_KEY_FILE",
        ) from None
