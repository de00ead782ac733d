"""What members and owners do in an organization: invite, join, promote, leave."""

from datetime import datetime

from ocr_grpc.accounts import audit, members
from ocr_grpc.accounts.changes import Changes
from ocr_grpc.accounts.errors import InviteInvalid, UserNotFound
from ocr_grpc.accounts.invites import Invite, Invites
from ocr_grpc.accounts.members import Member, member_of, require_owner
from ocr_grpc.accounts.organizations import Organization, counted
from ocr_grpc.accounts.principal import Actor, OrganizationRole, Principal, Role
from ocr_grpc.accounts.user_queries import lock_user
from ocr_grpc.store.base import utc_now
from ocr_grpc.store.database import Database


class Memberships:
    """Who belongs to which organization, as its members and owners see and change it."""

    def __init__(self, database: Database, changes: Changes, invites: Invites) -> None:
        self._database = database
        self._news = changes
        self._invites = invites

    async def list(
        self, principal: Principal, organization_id: str, page_size: int = 0, page_token: str = ""
    ) -> tuple[list[Member], str]:
        """Return a page of members in the order of their user names, and the token of the next.

        Raises:
            OrganizationNotFound: there is none, or the caller does not belong to it.
            InvalidPageToken: nobody gave that token out.
        """
        async with self._database.read() as sql:
            await members.find_organization(sql, principal, organization_id)
            return await members.page_of_members(sql, organization_id, page_size, page_token)

    async def update(
        self,
        principal: Principal,
        organization_id: str,
        user_id: str,
        role: OrganizationRole,
        actor: Actor,
    ) -> Member:
        """Change what a member may do. For owners.

        Raises:
            OrganizationNotFound, OwnerRequired: the caller may not.
            UserNotFound: no member.
            LastOwner: the organization would be without one.
        """
        async with self._database.write() as sql:
            member = await members.lock_member(sql, organization_id, user_id)
            organization = await members.find_organization(sql, principal, organization_id)
            await require_owner(sql, principal, organization)
            if member is None:
                raise UserNotFound(user_id)
            if role is not OrganizationRole.OWNER:
                await members.require_other_owner(sql, member)
            member.organization_role = role.value
            await self._news.note(sql, user_id)
            audit.record(
                sql, actor, "member.updated", user_id, organization=organization_id, role=role.value
            )
            return member_of(member)

    async def remove(
        self, principal: Principal, organization_id: str, user_id: str, actor: Actor
    ) -> None:
        """Remove a member. For owners, and for the member.

        Raises:
            OrganizationNotFound, OwnerRequired: the caller may not.
            UserNotFound: no member.
            LastOwner: the organization would be without one.
        """
        async with self._database.write() as sql:
            member = await members.lock_member(sql, organization_id, user_id)
            organization = await members.find_organization(sql, principal, organization_id)
            if user_id != principal.user_id:
                await require_owner(sql, principal, organization)
            if member is None:
                raise UserNotFound(user_id)
            await members.leave(sql, member)
            await self._news.note(sql, user_id)
            audit.record(sql, actor, "member.removed", user_id, organization=organization_id)

    async def invite(
        self,
        principal: Principal,
        organization_id: str,
        email: str,
        lifetime_seconds: int,
        actor: Actor,
    ) -> tuple[Invite, str]:
        """Make an invitation for a plain user. Return it and its code. For owners.

        Raises:
            OrganizationNotFound, OwnerRequired: the caller may not.
            InvalidEmail, InvalidField: the address or the lifetime.
            MailThrottled: too many invitations were to be sent.
        """
        async with self._database.read() as sql:
            # Looked at twice: mails are counted outside a transaction, and only those of owners.
            row = await members.find_organization(sql, principal, organization_id)
            await require_owner(sql, principal, row)
        await self._invites.count(email, actor)
        async with self._database.write() as sql:
            row = await members.find_organization(sql, principal, organization_id, lock=True)
            await require_owner(sql, principal, row)
            invite, code = await self._invites.add(
                sql, Role.USER, email, organization_id, lifetime_seconds, actor
            )
        self._invites.announce(invite, code)
        return invite, code

    async def accept(
        self, principal: Principal, code: str, actor: Actor
    ) -> tuple[Organization, datetime]:
        """Join the organization of an invitation. Return it and when it was joined.

        Raises:
            InviteInvalid: it is unknown, used, too old, for another address or without an
                organization.
            AlreadyInOrganization: of this or another one.
        """
        async with self._database.write() as sql:
            user = await lock_user(sql, principal.user_id)
            invite = await self._invites.use(sql, code, user.email, user.user_id)
            if invite.organization_id is None:
                raise InviteInvalid
            row = await members.join(sql, user, invite.organization_id)
            await self._news.note(sql, user.user_id)
            audit.record(
                sql,
                actor,
                "member.joined",
                user.user_id,
                organization=row.organization_id,
                invite_id=invite.invite_id,
            )
            return await counted(sql, row), utc_now()
