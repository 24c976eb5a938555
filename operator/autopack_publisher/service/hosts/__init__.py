"""Git hosts: pull requests and commit statuses of GitHub, GitLab, Gitea and Forgejo, behind one port."""
