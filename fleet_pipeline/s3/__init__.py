"""S3 and whatever speaks its language: addresses, listings, streams that survive a fault, uploads.

Knows nothing of transcripts. Credentials come from the environment or the AWS configuration files
and from nowhere else. Only ``bucket`` loads boto3, and only once there is something to ask.
"""

from fleet_pipeline.s3.address import Address, checked_endpoint

__all__ = ["Address", "checked_endpoint"]
